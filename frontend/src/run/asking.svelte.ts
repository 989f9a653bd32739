/** Something the server is asked for again and again, while somebody looks at it. */

import { Refusal } from "../wire/rest";

export abstract class Asking {
  /** Why what was asked for last was not done. */
  problem = $state<string | null>(null);
  /** The server did not answer, the last time. */
  private unanswered = false;
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  close() {
    this.abort?.abort();
    clearTimeout(this.timer);
  }

  /** Ask for something, and look what became of it. */
  async change(request: () => Promise<unknown>) {
    this.problem = null;
    try {
      await request();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.problem = error.message;
    }
    await this.look();
  }

  /** Fetch it and keep it. */
  protected abstract fetch(signal: AbortSignal): Promise<void>;

  /** Milliseconds until it is asked for again. */
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
      this.problem = error.message;
      this.unanswered = true;
    }
    this.timer = setTimeout(this.look, this.pause());
  };
}
