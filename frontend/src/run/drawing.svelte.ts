/** How the map of a run is drawn, asked for again while somebody looks at it. */

import { ask, Refusal, runPath, send, type Drawing, type Reprojection } from "../wire/rest";

const AGAIN = 1_500;

export class MapDrawing {
  /** null until the first answer. */
  now = $state.raw<Drawing | null>(null);
  /** How far laying the run out anew is; null until the first answer. */
  anew = $state.raw<Reprojection | null>(null);
  /** Why what was asked for last was not done. */
  problem = $state<string | null>(null);
  private unanswered = false;
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly run: string) {
    void this.look();
  }

  close() {
    this.abort?.abort();
    clearTimeout(this.timer);
  }

  /** Lay the run out anew. */
  again(): Promise<void> {
    return this.change(() => send(runPath(this.run, "reprojection"), {}));
  }

  cancel(): Promise<void> {
    return this.change(() => ask(runPath(this.run, "reprojection"), { method: "DELETE" }));
  }

  /** Do something to the map, and look what became of it. */
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

  private look = async () => {
    this.close();
    const { signal } = (this.abort = new AbortController());
    try {
      [this.now, this.anew] = await Promise.all([
        ask<Drawing>(runPath(this.run, "map"), { signal }),
        ask<Reprojection>(runPath(this.run, "reprojection"), { signal }),
      ]);
      if (this.unanswered) this.problem = null;
      this.unanswered = false;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      this.problem = error.message;
      this.unanswered = true;
    }
    this.timer = setTimeout(this.look, AGAIN);
  };
}
