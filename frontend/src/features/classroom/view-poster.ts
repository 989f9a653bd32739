/** Posts the presenter's view to the class when it changes, at a limited rate. */

import { sendJson } from "../../api/rest";
import { ApiError } from "../../api/failure";

/** Minimum time between two views, in ms. */
const MIN_INTERVAL = 250;
/** Minimum time in ms during a drag through the steps, since the whole class fetches each step. */
const MIN_DRAG_INTERVAL = 1_000;
/** Delay after a failed post, in ms. */
const RETRY_DELAY = 2_000;

export class ViewPoster {
  private wanted: string | null = null;
  private posted: string | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private nextAt = 0;

  /** Post a view that differs from the last; null: none. `dragging`: during a drag through the steps. */
  show(query: string | null, dragging = false) {
    this.wanted = query;
    clearTimeout(this.timer);
    if (query === null) this.posted = null;
    if (query === null || query === this.posted) return;
    const extra = dragging ? MIN_DRAG_INTERVAL - MIN_INTERVAL : 0;
    const wait = Math.max(0, this.nextAt + extra - performance.now());
    this.timer = setTimeout(() => void this.post(), wait);
  }

  close() {
    this.show(null);
  }

  private async post() {
    const { wanted: query } = this;
    if (query === null) return;
    this.nextAt = performance.now() + MIN_INTERVAL;
    this.posted = query;
    try {
      await sendJson<"POST /api/class/view">("/api/class/view", { query });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // A refused view would be refused again.
      if (error.refused || this.posted !== query) return;
      this.posted = null;
      this.nextAt = performance.now() + RETRY_DELAY;
      this.show(this.wanted);
    }
  }
}
