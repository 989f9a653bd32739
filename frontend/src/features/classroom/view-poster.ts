/** Posts the presenter's view to the class as it changes, and no more often than a class needs. */

import { sendJson } from "../../api/rest";
import { ApiError } from "../../api/failure";

/** Least time between two views, in ms: four a second. */
const PAUSE = 250;
/** Least time while a hand drags through the steps: each is a step that a whole class fetches. */
const DRAG_PAUSE = 1_000;
/** Pause after a view that did not arrive, in ms. */
const RETRY_PAUSE = 2_000;

export class ViewPoster {
  private wanted: string | null = null;
  private posted: string | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private nextAt = 0;

  /** Post a view, if it is another one; null: none. `dragging`: set while a hand drags through the steps. */
  show(query: string | null, dragging = false) {
    this.wanted = query;
    clearTimeout(this.timer);
    if (query === null) this.posted = null;
    if (query === null || query === this.posted) return;
    const extra = dragging ? DRAG_PAUSE - PAUSE : 0;
    const wait = Math.max(0, this.nextAt + extra - performance.now());
    this.timer = setTimeout(() => void this.post(), wait);
  }

  close() {
    this.show(null);
  }

  private async post() {
    const { wanted: query } = this;
    if (query === null) return;
    this.nextAt = performance.now() + PAUSE;
    this.posted = query;
    try {
      await sendJson<"POST /api/class/view">("/api/class/view", { query });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // A view that was refused would be refused again.
      if (error.refused || this.posted !== query) return;
      this.posted = null;
      this.nextAt = performance.now() + RETRY_PAUSE;
      this.show(this.wanted);
    }
  }
}
