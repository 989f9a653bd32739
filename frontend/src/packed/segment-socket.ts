/**
 * A stream of envelopes from immutable files beside the page, one a second, and a manifest that names the newest
 * (`backend/lamplighter/packing/broadcast/broadcast.py`). It looks like a web socket to those who read it.
 */

import type { LiveSocket } from "../api/source";

/** The manifest's format that this page reads. */
const FORMAT = 1;
/** Time between two looks at the manifest, in ms; jitter spreads the viewers. */
const INTERVAL = 1_000;
const JITTER = 300;
/** Time without a new manifest after which the broadcast counts as broken off, in ms. */
const SILENCE = 15_000;
/** Bytes before each message of a segment. */
const HEAD_BYTES = 6;
/** Longest time that a message waits for its turn within its segment, in ms. */
const MAX_WAIT = 900;
/** Segments that a viewer may lag behind before it goes on from a whole state. */
const MAX_BEHIND = 12;

/** Reads a live file by its name. Rejects if there is none. */
export type FileReader = (name: string, init: RequestInit) => Promise<ArrayBuffer>;

interface Manifest {
  format: number;
  name: string;
  written: number;
  sequence: number;
  first: number;
  whole: number;
  ended: boolean;
}

export class SegmentSocket implements LiveSocket {
  binaryType: BinaryType = "arraybuffer";
  readyState: LiveSocket["readyState"] = WebSocket.CONNECTING;
  onopen: LiveSocket["onopen"] = null;
  onmessage: LiveSocket["onmessage"] = null;
  onclose: LiveSocket["onclose"] = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly aborted = new AbortController();
  /** The broadcast and the segment that were delivered last; null: none yet. */
  private at: { name: string; sequence: number } | null = null;
  /** What the newest manifest was, and when it was first seen. */
  private seen = { written: -1, time: performance.now() };

  constructor(private readonly readFile: FileReader) {
    // The reader sets its handlers first.
    this.timer = setTimeout(() => void this.look());
  }

  /** Nothing is sent: the same files go to everybody. */
  readonly send = () => undefined;

  close() {
    this.readyState = WebSocket.CLOSED;
    clearTimeout(this.timer);
    this.aborted.abort();
  }

  private async look() {
    const next = performance.now() + INTERVAL + JITTER * (Math.random() - 0.5);
    try {
      const manifest = await this.readManifest();
      if (this.readyState === WebSocket.CONNECTING) {
        this.readyState = WebSocket.OPEN;
        this.onopen?.call(this.asSocket, new Event("open"));
      }
      await this.catchUp(manifest);
      if (manifest.ended) return;
      this.checkSilence(manifest);
    } catch (error) {
      if (this.aborted.signal.aborted) return;
      console.warn("Lamplighter:", error);
      this.fail();
      return;
    }
    this.timer = setTimeout(() => void this.look(), next - performance.now());
  }

  /** Deliver what is new: segment by segment, or a whole state if some are gone or there are too many. */
  private async catchUp({ name, sequence, first, whole }: Manifest) {
    let from = this.at?.name === name ? this.at.sequence : -1;
    if (from < first - 1 || sequence - from > MAX_BEHIND) {
      if (!whole) return;
      this.deliver(await this.read(`${name}/${file(whole)}-whole.bin`));
      from = whole;
      this.at = { name, sequence: from };
    }
    // Read at the same time, and delivered in order.
    const numbers = Array.from({ length: Math.max(0, sequence - from) }, (_, i) => from + 1 + i);
    const segments = numbers.map((number) => this.read(`${name}/${file(number)}.bin`));
    const begun = performance.now();
    for (const [i, segment] of (await Promise.all(segments)).entries()) {
      for (const { after, envelope } of splitSegment(segment)) {
        // Each beat at its own time, unless this viewer has to catch up.
        if (numbers.length === 1) await this.until(begun + Math.min(after, MAX_WAIT));
        this.deliver(envelope);
      }
      this.at = { name, sequence: numbers[i]! };
    }
  }

  private until(time: number): Promise<void> {
    return new Promise((done) => setTimeout(done, time - performance.now()));
  }

  private deliver(data: ArrayBuffer) {
    if (this.readyState === WebSocket.OPEN)
      this.onmessage?.call(this.asSocket, new MessageEvent("message", { data }));
  }

  private checkSilence({ written }: Manifest) {
    const now = performance.now();
    if (written !== this.seen.written) this.seen = { written, time: now };
    else if (now - this.seen.time > SILENCE) throw new Error("the broadcast has broken off");
  }

  private async readManifest(): Promise<Manifest> {
    // Asked whether it changed, because some hosts say nothing about how long it may be kept.
    const text = new TextDecoder().decode(await this.read("manifest.json", "no-cache"));
    const manifest = JSON.parse(text) as Manifest;
    if (manifest.format !== FORMAT || !/^[0-9a-f]{8}$/.test(manifest.name))
      throw new Error("the manifest cannot be read");
    return manifest;
  }

  private read(name: string, cache?: RequestCache): Promise<ArrayBuffer> {
    const { signal } = this.aborted;
    return this.readFile(name, cache ? { cache, signal } : { signal });
  }

  private fail() {
    this.close();
    this.onclose?.call(this.asSocket, new CloseEvent("close", { code: 1006 }));
  }

  private get asSocket(): WebSocket {
    return this as unknown as WebSocket;
  }
}

/** Return a reader of the files in a folder beside the page. */
export function filesBeside(folder: string): FileReader {
  return async (name, init) => {
    const answer = await fetch(`${folder}/${name}`, init);
    if (!answer.ok) throw new Error(`${name} answered ${answer.status}`);
    return answer.arrayBuffer();
  };
}

function file(number: number): string {
  return String(Math.trunc(number)).padStart(6, "0");
}

/** Return the messages of a segment, with the milliseconds after its beginning. Throws for anything else. */
export function splitSegment(data: ArrayBuffer): { after: number; envelope: ArrayBuffer }[] {
  const view = new DataView(data);
  const messages: { after: number; envelope: ArrayBuffer }[] = [];
  for (let at = 0; at < data.byteLength;) {
    const begin = at + HEAD_BYTES;
    const end = begin + (begin <= data.byteLength ? view.getUint32(at + 2, true) : Infinity);
    if (end > data.byteLength) throw new Error("a segment is cut short");
    messages.push({ after: view.getUint16(at, true), envelope: data.slice(begin, end) });
    at = end;
  }
  return messages;
}
