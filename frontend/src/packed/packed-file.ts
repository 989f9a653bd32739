/**
 * The parts of a file that holds a run: the page itself is that file, and each part is a script element that
 * the browser does not run. Their content comes from the file's author, so it is as hostile as any run.
 */

import { BinaryReader } from "../api/binary-reader";
import { decodeEnvelope, inflate } from "../api/envelope";
import type { Frame } from "../api/frames";
import type { PackedContents } from "../api/source";

/** Version of the format that this page reads. */
const FORMAT = 1;

/** The neighbours in a file. */
export interface NearestHead {
  /** Their steps, ascending. */
  steps: number[];
  /** Neighbours of each word. */
  k: number;
  /** By step, the length that the largest value stands for. */
  longest: number[];
}

/** The files beside a page, with the neighbours of some words each. */
export interface BesideHead extends NearestHead {
  /** Words of each file. */
  words: number;
  folder: string;
  /** What the files of this page say, and those of another do not. */
  key: string;
}

/** The description at the start of a file. */
export interface PackedHead extends PackedContents {
  format: number;
  vocabulary: number;
  nearest: NearestHead | null;
  /** Null: no files lie beside the page. */
  beside: BesideHead | null;
  /** Names of the parts by content, in order. */
  parts: Record<"lights" | "umap" | "linear" | "districts", string[]>;
}

export interface PackedFile {
  readonly head: PackedHead;
  /** Return the bytes of a part. Throws if there is none. */
  bytes(name: string): ArrayBuffer;
}

/** Open this document as a packed file; null if it is not one. Throws if its format is unknown. */
export function openDocument(): PackedFile | null {
  const element = document.getElementById("packed-head");
  if (!element) return null;
  const head = JSON.parse(element.textContent) as PackedHead;
  if (head.format !== FORMAT) throw new Error(`this file has the format ${head.format}`);
  return { head, bytes: readPart };
}

function readPart(name: string): ArrayBuffer {
  const element = document.querySelector(`script[data-part="${CSS.escape(name)}"]`);
  if (!element) throw new Error(`this file lacks ${name}`);
  const bytes = decodeBase64(element.textContent);
  // It is read once; its text would stay in memory beside the decoded content.
  element.remove();
  return bytes;
}

/** Return the bytes of a base64 text. */
export function decodeBase64(text: string): ArrayBuffer {
  // Newer browsers have a native method.
  const native = Uint8Array as unknown as {
    fromBase64?: (text: string) => Uint8Array<ArrayBuffer>;
  };
  if (native.fromBase64) return native.fromBase64(text).buffer;
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes.buffer;
}

/** Return the frames in the envelopes of some parts, in order. Throws `FrameError`. */
export async function readFrames(file: PackedFile, names: readonly string[]): Promise<Frame[]> {
  // In parallel, because browsers inflate outside the main thread.
  const opened = await Promise.all(names.map((name) => decodeEnvelope(file.bytes(name))));
  return opened.flat().filter((part) => !("type" in part)) as Frame[];
}

/** Return the JSON of a compressed part. */
export async function readJson<T>(file: PackedFile, name: string): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await inflate(file.bytes(name)))) as T;
}

/** Return a reader of compressed bytes. */
export async function readBinary(bytes: ArrayBuffer): Promise<BinaryReader> {
  return new BinaryReader((await inflate(bytes)).buffer);
}
