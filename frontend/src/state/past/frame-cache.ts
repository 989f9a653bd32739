/**
 * A cache of recorded frames by key, bounded in bytes. Each key has at most one request in flight; a
 * speculative request without a waiting caller may be aborted.
 */

import type { Frame } from "../../api/frames";
import { receiveFrames } from "../../api/frame-request";
import { ApiError } from "../../api/failure";

export class LruCache<Value> {
  /** Least recently used first. */
  private readonly values = new Map<string, { value: Value; bytes: number }>();
  private size = 0;

  constructor(private readonly maxBytes: number) {}

  get bytes(): number {
    return this.size;
  }

  /** Return whether a key is cached, without counting as a use. */
  has(key: string): boolean {
    return this.values.has(key);
  }

  get(key: string): Value | undefined {
    const found = this.values.get(key);
    if (!found) return undefined;
    this.values.delete(key);
    this.values.set(key, found);
    return found.value;
  }

  set(key: string, value: Value, bytes: number) {
    this.delete(key);
    this.values.set(key, { value, bytes });
    this.size += bytes;
    for (const oldest of this.values.keys()) {
      // Keep a value above the limit while it is the only one: it is in use.
      if (this.size <= this.maxBytes || oldest === key) break;
      this.delete(oldest);
    }
  }

  delete(key: string) {
    this.size -= this.values.get(key)?.bytes ?? 0;
    this.values.delete(key);
  }

  clear() {
    this.values.clear();
    this.size = 0;
  }
}

/** Limit on parallel requests: browsers open six connections to a server. */
const MAX_PARALLEL = 6;

/** A request for frames: their cache key, and the path to fetch. */
export type FrameRequest = readonly [key: string, path: string];

interface PendingFrames {
  frames: Promise<Frame[]>;
  abort: AbortController;
  /** Set while no caller awaits the result. */
  speculative: boolean;
}

export class FrameCache {
  private readonly cache: LruCache<Frame[]>;
  private readonly pending = new Map<string, PendingFrames>();
  /** Callbacks waiting for any response to arrive. */
  private listeners: (() => void)[] = [];
  private received = 0;

  /**
   * Create an empty cache of up to `maxBytes` bytes. `onMissing` is called if the server does not have the
   * frames.
   */
  constructor(
    maxBytes: number,
    private readonly onMissing: () => void,
  ) {
    this.cache = new LruCache(maxBytes);
  }

  has(key: string): boolean {
    return this.cache.has(key);
  }

  /** Return the cached frames of that key. */
  get(key: string): Frame[] | undefined {
    return this.cache.get(key);
  }

  delete(key: string) {
    this.cache.delete(key);
  }

  /** Return the number of requests in flight. */
  get pendingCount(): number {
    return this.pending.size;
  }

  /** Return whether the limit on parallel requests is reached. */
  get busy(): boolean {
    return this.pendingCount >= MAX_PARALLEL;
  }

  /** Return the bytes received so far, cached or not. */
  get bytesReceived(): number {
    return this.received;
  }

  /** Wait until any requested frames arrive. */
  nextArrival(): Promise<void> {
    return new Promise((done) => this.listeners.push(done));
  }

  /** Wait until one of the requests now in flight succeeds or fails. */
  async anySettled(): Promise<void> {
    await Promise.race([...this.pending.values()].map(({ frames }) => frames)).catch(
      () => undefined,
    );
  }

  /** Abort the speculative requests, except those of the given keys. */
  abortSpeculative(except: ReadonlySet<string>) {
    for (const [key, { speculative, abort }] of this.pending) {
      if (!speculative || except.has(key)) continue;
      this.pending.delete(key);
      abort.abort();
    }
  }

  /** Abort every request. */
  close() {
    for (const { abort } of this.pending.values()) abort.abort();
  }

  /**
   * Return the frames of that key: cached, from a request in flight, or from a new one. Throws
   * `ApiError`, or the abort.
   */
  async fetch([key, path]: FrameRequest, speculative = false): Promise<Frame[]> {
    const cached = this.cache.get(key);
    if (cached) return cached;
    const inFlight = this.pending.get(key);
    if (inFlight) {
      if (!speculative) inFlight.speculative = false;
      return inFlight.frames;
    }
    const abort = new AbortController();
    const frames = receiveFrames(path, abort.signal).then(({ frames: read, bytes }) => {
      this.cache.set(key, read, bytes);
      this.received += bytes;
      return read;
    });
    const request = { frames, abort, speculative };
    this.pending.set(key, request);
    const done = () => {
      if (this.pending.get(key) === request) this.pending.delete(key);
    };
    try {
      const read = await frames;
      done();
      for (const done of this.listeners.splice(0)) done();
      return read;
    } catch (error) {
      done();
      if (error instanceof ApiError && error.status >= 404) this.onMissing();
      throw error;
    }
  }
}
