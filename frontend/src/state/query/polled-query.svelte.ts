/** A query that is repeated while its answer is on screen. */

import { untrack } from "svelte";
import { failureOf } from "../../api/failure";
import { Query, type Question } from "./query.svelte";

/** Pauses are at least this many times the server's response time, to spare a slow server. */
const MIN_PAUSE = 3;

export abstract class PolledQuery<T> extends Query<T> {
  /** Pause after an answer, in ms. */
  protected abstract readonly pollInterval: number;
  private pollTimer: ReturnType<typeof setTimeout> | undefined;

  /** Return the current question; null if there is none. */
  protected abstract question(): Question<T> | null;

  /** Send the question after a debounce of `delay` ms, and again whenever it has changed. */
  poll(delay = 0) {
    clearTimeout(this.pollTimer);
    this.ask(
      untrack(() => this.question()),
      delay,
    );
    if (!this.pending) this.pollAfter(this.pollInterval);
  }

  /** Send a request that changes data, then poll for the result. */
  async mutate(send: () => Promise<unknown>) {
    this.problem = null;
    try {
      await send();
    } catch (error) {
      this.problem = failureOf(error);
    }
    this.poll();
    await this.sending;
  }

  override close() {
    clearTimeout(this.pollTimer);
    super.close();
  }

  protected override settled(took: number) {
    this.pollAfter(Math.max(this.pollInterval, MIN_PAUSE * took));
  }

  private pollAfter(pause: number) {
    clearTimeout(this.pollTimer);
    if (!this.closed) this.pollTimer = setTimeout(() => this.poll(), pause);
  }
}
