/** What became of districts, for the timeline: asked for when new districts have come. */

import { ask, Refusal, runPath, type DistrictEvent } from "../wire/rest";

const PAGE = 1_000;
/** Least time between two questions, in ms. */
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

  /** Districts of an attempt came. In another one, what was told of the last may not count any more. */
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
      // They are asked for again with the next districts.
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
