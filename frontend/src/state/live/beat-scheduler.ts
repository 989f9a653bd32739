/**
 * Chooses the beats that the map shows, at least `interval` apart: an early beat waits, and is replaced by
 * the next. All beats of a stream that keeps this interval (`docs/wire.md`) are shown at once.
 */

import type { Beat } from "../../api/beat-frames";

/** Limits the map to three flashes a second, even for a shorter requested interval. */
export const SHORTEST_INTERVAL = 340;
/** Minimum interval for a viewer who prefers reduced motion, in ms. */
const CALM_INTERVAL = 2_000;

export class BeatScheduler {
  private lastBeat = -Infinity;
  private pending: Beat | null = null;
  private shortest = SHORTEST_INTERVAL;
  /**
   * Set if the stream keeps the interval itself. Then only the flash rate is limited, so that a late beat
   * does not delay the next ones.
   */
  paced = false;
  /** Set during a replay for a viewer who prefers reduced motion. */
  calm = false;

  constructor(interval: number) {
    this.interval = interval;
  }

  get interval(): number {
    return this.calm ? Math.max(CALM_INTERVAL, this.shortest) : this.shortest;
  }

  set interval(milliseconds: number) {
    this.shortest = Math.max(SHORTEST_INTERVAL, milliseconds);
  }

  /** Return the ms from `now` until a beat may be shown. */
  wait(now: number): number {
    const least = this.paced ? SHORTEST_INTERVAL : this.interval;
    return Math.max(0, this.lastBeat + least - now);
  }

  /** Accept a beat that arrived at `now` (ms); return it if it is shown now, else null. */
  offer(beat: Beat, now: number): Beat | null {
    this.pending = beat;
    return this.tick(now);
  }

  /** Return the waiting beat if it is due at `now` (ms), else null. */
  tick(now: number): Beat | null {
    const { pending } = this;
    if (!pending || this.wait(now)) return null;
    this.lastBeat = now;
    this.pending = null;
    return pending;
  }

  /** Drop the waiting beat: for another run, another attempt, or another light. */
  clear() {
    this.pending = null;
  }
}
