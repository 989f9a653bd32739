/**
 * Envelopes: several frames and texts in one message of the class's socket, compressed once for all viewers
 * (`docs/wire.md`). Mirrors `backend/lamplighter/wire/envelope.py`.
 */

import { FrameError, utf8 } from "./binary-reader";
import { decode, type Frame } from "./frames";
import { decodeGridFrame } from "./grid-frames";
import type { SocketMessage } from "./rest-types";

const VERSION = 1;
const DEFLATED = 1;
const MAX_INFLATED = 64 << 20;
const MAX_PARTS = 1_000;
const BRACE = 0x7b;
/** Offset of the kind in a frame's header, and the first kind of a grid layout. */
const KIND = 5;
const FIRST_GRID_KIND = 7;

/** Decode a binary message of the class's socket. Rejects with `FrameError` for anything else. */
export async function decodeEnvelope(data: ArrayBuffer): Promise<(Frame | SocketMessage)[]> {
  const head = new Uint8Array(data, 0, Math.min(2, data.byteLength));
  if (head.length < 2 || head[0] !== VERSION || head[1]! > DEFLATED) {
    throw new FrameError("not an envelope of this version");
  }
  const body = head[1] === DEFLATED ? await inflate(data.slice(2)) : new Uint8Array(data, 2);
  return splitParts(body).map(decodePart);
}

/** Split the body of an envelope at the lengths of its parts. */
function splitParts(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = 0; at < body.length;) {
    if (parts.length === MAX_PARTS) throw new FrameError("an envelope with too many parts");
    if (body.length - at < 4) throw new FrameError("envelope cut short");
    const length = view.getUint32(at, true);
    at += 4;
    if (length > body.length - at) throw new FrameError("envelope cut short");
    parts.push(body.subarray(at, at + length));
    at += length;
  }
  return parts;
}

function decodePart(part: Uint8Array<ArrayBuffer>): Frame | SocketMessage {
  if (part[0] === BRACE) return parseText(utf8(part));
  // A copy: arrays of a frame must begin at multiples of four bytes.
  const frame = part.slice().buffer;
  const kind = part[KIND] ?? 0;
  return kind >= FIRST_GRID_KIND ? decodeGridFrame(frame) : decode(frame);
}

function parseText(text: string): SocketMessage {
  try {
    return JSON.parse(text) as SocketMessage;
  } catch {
    throw new FrameError("a text is not JSON");
  }
}

export async function inflate(data: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const reader = stream.getReader();
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new FrameError("the envelope is damaged");
    });
    if (done) break;
    size += value.length;
    if (size > MAX_INFLATED) {
      void reader.cancel();
      throw new FrameError("the envelope is too large");
    }
    pieces.push(value);
  }
  const body = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    body.set(piece, at);
    at += piece.length;
  }
  return body;
}
