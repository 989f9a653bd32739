/** The answer to a question that changes: asked late, asked once, and an older answer never replaces a newer. */

import { ask, Refusal } from "../wire/rest";

export class Answer<T> {
  /** Of the last question that was answered; null before the first, and after one that was refused. */
  value = $state.raw<T | null>(null);
  /** Why there is none. */
  problem = $state<string | null>(null);
  waiting = $state(false);

  private path: string | null = null;
  private version = 0;
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `fetch` fetches what is at a path. */
  constructor(
    private readonly fetch: (path: string, signal: AbortSignal) => Promise<T> = (path, signal) =>
      ask<T>(path, { signal }),
  ) {}

  /**
   * Ask; the question of before counts no more. What it was answered stays until there is a new answer, unless
   * `fresh`. `late`: milliseconds until it is asked: while somebody drags through the steps only the last
   * question is. null: nothing to ask. `version`: of what is asked; in another one the same question is asked again.
   */
  ask(
    path: string | null,
    {
      late = 0,
      fresh = false,
      version = 0,
    }: { late?: number; fresh?: boolean; version?: number } = {},
  ) {
    if (path === this.path && version === this.version) return;
    this.close();
    this.path = path;
    this.version = version;
    if (path === null || fresh) this.value = this.problem = null;
    if (path === null) return;
    this.waiting = true;
    this.timer = setTimeout(() => void this.go(path), late);
  }

  close() {
    clearTimeout(this.timer);
    this.abort?.abort();
    this.path = null;
    this.waiting = false;
  }

  private async go(path: string) {
    const abort = (this.abort = new AbortController());
    try {
      const value = await this.fetch(path, abort.signal);
      if (abort.signal.aborted) return;
      this.value = value;
      this.problem = null;
    } catch (error) {
      if (abort.signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      this.value = null;
      this.problem = error.message;
      // Asked again, it may be answered.
      this.path = null;
    }
    this.waiting = false;
  }
}
