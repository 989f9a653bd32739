/** A query that is repeated while its answer is on screen. */

import { ApiError, type Failure } from "../../api/failure";

export abstract class PolledQuery {
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
  async mutate(request: () => Promise<unknown>) {
    this.problem = null;
    try {
      await request();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.problem = error.failure;
    }
    await this.poll();
  }

  /** Fetch the latest state and store it. */
  protected abstract fetchLatest(signal: AbortSignal): Promise<void>;

  /** Return the milliseconds until the next poll. */
  protected abstract pollDelay(): number;

  protected poll = async () => {
    this.close();
    const { signal } = (this.abort = new AbortController());
    try {
      await this.fetchLatest(signal);
      if (this.unanswered) this.problem = null;
      this.unanswered = false;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.problem = error.failure;
      this.unanswered = true;
    }
    this.timer = setTimeout(() => void this.poll(), this.pollDelay());
  };
}
