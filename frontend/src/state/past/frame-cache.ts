/**
 * A cache of recorded frames by key, bounded in bytes. Each key is fetched once at a time; a
 * speculative request that nobody awaits may be aborted.
 */

import { decodeAll, type Frame } from "../../api/frames";
import { askBytes } from "../../api/rest";
import { Refusal } from "../../api/failure";
import { Keep } from "./lru-cache";

/** Limit on parallel requests: browsers open six connections to a server. */
const AT_ONCE = 6;

/** A request for frames: their cache key, and the path to fetch them from. */
export type Wanted = [key: string, path: string];

interface Asked {
  frames: Promise<Frame[]>;
  abort: AbortController;
  /** Set while nobody awaits the result. */
  ahead: boolean;
}

export class FrameCache {
  private readonly kept: Keep<Frame[]>;
  private readonly asked = new Map<string, Asked>();
  /** Callbacks waiting for any response to arrive. */
  private listening: (() => void)[] = [];
  private came = 0;

  /**
   * Open an empty cache of up to `maxBytes` bytes. `onMissing` is called when the server does not
   * have the frames.
   */
  constructor(
    most: number,
    private readonly missed: () => void,
  ) {
    this.kept = new Keep(most);
  }

  has(key: string): boolean {
    return this.kept.has(key);
  }

  /** Return the cached frames of that key. */
  get(key: string): Frame[] | undefined {
    return this.kept.get(key);
  }

  delete(key: string) {
    this.kept.delete(key);
  }

  /** Return the number of requests in flight. */
  get asking(): number {
    return this.asked.size;
  }

  /** Return whether the limit on parallel requests is reached. */
  get busy(): boolean {
    return this.asking >= AT_ONCE;
  }

  /** Return the bytes received so far, cached or not. */
  get bytes(): number {
    return this.came;
  }

  /** Wait until any requested frames arrive. */
  news(): Promise<void> {
    return new Promise((done) => this.listening.push(done));
  }

  /** Wait until one of the requests now in flight succeeds or fails. */
  async settled(): Promise<void> {
    await Promise.race([...this.asked.values()].map(({ frames }) => frames)).catch(() => undefined);
  }

  /** Abort the speculative requests, except for those keys. */
  giveUp(except: ReadonlySet<string>) {
    for (const [key, { ahead, abort }] of this.asked) {
      if (!ahead || except.has(key)) continue;
      this.asked.delete(key);
      abort.abort();
    }
  }

  /** Abort every request. */
  close() {
    for (const { abort } of this.asked.values()) abort.abort();
  }

  /**
   * Return the frames of that key: cached, from a request in flight, or from a new one. Throws
   * `ApiError`, or the abort.
   */
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
