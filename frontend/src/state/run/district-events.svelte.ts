/** District events for the timeline, fetched when new districts arrive. */

import { ask, runPath, type DistrictEvent } from "../../api/rest";
import { Refusal } from "../../api/failure";

const PAGE = 1_000;
/** Least time between two requests, in ms. */
const CALM = 2_000;

export class Landmarks {
  events = $state.raw<DistrictEvent[]>([]);

  private attempt = 0;
  private asking = false;
  private stale = false;

  constructor(
    private readonly run: string,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Fetch the events since the last. Another attempt discards those already known: they may not
   * count any more.
   */
  async refresh(attempt: number) {
    if (attempt !== this.attempt) this.events = [];
    this.attempt = attempt;
    this.stale = true;
    if (this.asking) return;
    this.asking = true;
    try {
      while (this.stale && !this.signal.aborted) {
        this.stale = false;
        await this.fetch();
        await new Promise((done) => setTimeout(done, CALM));
      }
    } catch (error) {
      // The next districts trigger another try.
      if (!this.signal.aborted && !(error instanceof Refusal)) throw error;
    } finally {
      this.asking = false;
    }
  }

  private async fetch() {
    const last = this.events.at(-1)?.id;
    const after = last === undefined ? "" : `?after=${last}`;
    const path = runPath(this.run, `districts/events${after}`);
    const { items } = await ask<{ items: DistrictEvent[] }>(path, { signal: this.signal });
    if (items.length && (this.events.at(-1)?.id ?? undefined) === last) {
      this.events = [...this.events, ...items].slice(-PAGE);
    }
  }
}
