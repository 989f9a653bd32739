/** A query that is repeated while its answer is on screen. */

import { Refusal, type Failure } from "../../api/failure";

export abstract class Asking {
  /** Why the last request failed. */
  problem = $state.raw<Failure | null>(null);
  /** Set when the last poll got no answer. */
  private unanswered = false;
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  close() {
    this.abort?.abort();
    clearTimeout(this.timer);
  }

  /** Send a request that changes something, then poll for the result. */
  async change(request: () => Promise<unknown>) {
    this.problem = null;
    try {
      await request();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.problem = error.failure;
    }
    await this.look();
  }

  /** Fetch the latest state and store it. */
  protected abstract fetch(signal: AbortSignal): Promise<void>;

  /** Return the milliseconds until the next poll. */
  protected abstract pause(): number;

  protected look = async () => {
    this.close();
    const { signal } = (this.abort = new AbortController());
    try {
      await this.fetch(signal);
      if (this.unanswered) this.problem = null;
      this.unanswered = false;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      this.problem = error.failure;
      this.unanswered = true;
    }
    this.timer = setTimeout(() => void this.look(), this.pause());
  };
}
