/**
 * Frames that the server has recorded, by the name they are kept by: fetched when they are wanted, each once, kept
 * while there is room. What nobody waits for yet may be given up.
 */

import { decodeAll, type Frame } from "../wire/frames";
import { askBytes, Refusal } from "../wire/rest";
import { Keep } from "./keep";

/** Requests at once: browsers have six for a server. */
const AT_ONCE = 6;

/** What to ask for: the name it is kept by, and its address. */
export type Wanted = [key: string, path: string];

interface Asked {
  frames: Promise<Frame[]>;
  abort: AbortController;
  /** Nobody waits for it yet. */
  ahead: boolean;
}

export class FrameCache {
  private readonly kept: Keep<Frame[]>;
  private readonly asked = new Map<string, Asked>();
  /** Who waits until something has come, whatever it will be. */
  private listening: (() => void)[] = [];
  private came = 0;

  /** Keeps up to `most` bytes; `missed` when the server does not have what was asked for. */
  constructor(
    most: number,
    private readonly missed: () => void,
  ) {
    this.kept = new Keep(most);
  }

  has(key: string): boolean {
    return this.kept.has(key);
  }

  /** What is kept by that name. */
  get(key: string): Frame[] | undefined {
    return this.kept.get(key);
  }

  delete(key: string) {
    this.kept.delete(key);
  }

  /** How many requests are on their way. */
  get asking(): number {
    return this.asked.size;
  }

  /** As much is being asked for as can be at once. */
  get busy(): boolean {
    return this.asking >= AT_ONCE;
  }

  /** Bytes that came so far, kept or not. */
  get bytes(): number {
    return this.came;
  }

  /** Resolves when something that was asked for has come. */
  news(): Promise<void> {
    return new Promise((done) => this.listening.push(done));
  }

  /** Resolves when one of what is asked for now has come, or will not. */
  async settled(): Promise<void> {
    await Promise.race([...this.asked.values()].map(({ frames }) => frames)).catch(() => undefined);
  }

  /** Give up what nobody waits for, but for those names. */
  giveUp(except: ReadonlySet<string>) {
    for (const [key, { ahead, abort }] of this.asked) {
      if (!ahead || except.has(key)) continue;
      this.asked.delete(key);
      abort.abort();
    }
  }

  /** Give up everything. */
  close() {
    for (const { abort } of this.asked.values()) abort.abort();
  }

  /** The frames of that name, fetched unless they are kept or on their way. Throws `Refusal`, or the abort. */
  async fetch([key, path]: Wanted, ahead = false): Promise<Frame[]> {
    const kept = this.kept.get(key);
    if (kept) return kept;
    const there = this.asked.get(key);
    if (there) {
      if (!ahead) there.ahead = false;
      return there.frames;
    }
    const abort = new AbortController();
    const frames = askBytes(path, { signal: abort.signal }).then((data) => {
      const read = decodeAll(data);
      this.kept.set(key, read, data.byteLength);
      this.came += data.byteLength;
      return read;
    });
    const asked = { frames, abort, ahead };
    this.asked.set(key, asked);
    const over = () => {
      if (this.asked.get(key) === asked) this.asked.delete(key);
    };
    try {
      const read = await frames;
      over();
      for (const done of this.listening.splice(0)) done();
      return read;
    } catch (error) {
      over();
      if (error instanceof Refusal && error.status >= 404) this.missed();
      throw error;
    }
  }
}
