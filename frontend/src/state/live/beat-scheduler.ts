/**
 * The choice of the beats that the map shows. They are at least `interval` apart: one that comes earlier waits, and makes
 * way for the next. A stream that keeps this pace (`docs/wire.md`) has each of its beats shown at once.
 */

import type { Beat } from "../../api/beat-frames";

/** Limits the map to three flashes a second, whatever interval is requested. */
export const SHORTEST_INTERVAL = 340;

export class BeatScheduler {
  private lastBeat = -Infinity;
  private pending: Beat | null = null;
  private shortest = SHORTEST_INTERVAL;
  /**
   * Set where the stream keeps the interval by itself. Then only the flashes are limited, so that a beat that was late on its
   * way does not make those after it late.
   */
  paced = false;

  constructor(interval: number) {
    this.interval = interval;
  }

  get interval(): number {
    return this.shortest;
  }

  set interval(milliseconds: number) {
    this.shortest = Math.max(SHORTEST_INTERVAL, milliseconds);
  }

  /** Return the ms from `now` on until a beat may be shown. */
  wait(now: number): number {
    const least = this.paced ? SHORTEST_INTERVAL : this.shortest;
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

  /** Drop the waiting beat: for another run, another attempt, or a light from elsewhere. */
  clear() {
    this.pending = null;
  }
}
