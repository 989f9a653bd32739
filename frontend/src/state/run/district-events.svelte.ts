/** District events for the timeline, fetched when new districts arrive. */

import { requestJson, runPath } from "../../api/rest";
import type { Answer, DistrictEvent } from "../../api/rest-types";
import { ApiError } from "../../api/failure";

const MAX_EVENTS = 1_000;
/** Minimum time between two requests, in ms. */
const REFRESH_INTERVAL = 2_000;

export class DistrictEvents {
  events = $state.raw<DistrictEvent[]>([]);

  private attempt = 0;
  private fetching = false;
  private stale = false;

  constructor(
    private readonly run: string,
    private readonly signal: AbortSignal,
  ) {}

  /** Fetch the events since the last. Another attempt discards the known ones, which may be invalid now. */
  async refresh(attempt: number) {
    if (attempt !== this.attempt) this.events = [];
    this.attempt = attempt;
    this.stale = true;
    if (this.fetching) return;
    this.fetching = true;
    try {
      while (this.stale && !this.signal.aborted) {
        this.stale = false;
        await this.fetchEvents();
        await new Promise((done) => setTimeout(done, REFRESH_INTERVAL));
      }
    } catch (error) {
      // The next districts trigger another attempt.
      if (!this.signal.aborted && !(error instanceof ApiError)) throw error;
    } finally {
      this.fetching = false;
    }
  }

  private async fetchEvents() {
    const last = this.events.at(-1)?.id;
    const after = last === undefined ? "" : `?after=${last}`;
    const path = runPath(this.run, `districts/events${after}`);
    const { items } = await requestJson<Answer<"GET /api/runs/{run}/districts/events">>(path, {
      signal: this.signal,
    });
    if (items.length && (this.events.at(-1)?.id ?? undefined) === last) {
      this.events = [...this.events, ...items].slice(-MAX_EVENTS);
    }
  }
}
