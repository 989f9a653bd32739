/**
 * Chooses the beats that the map shows, at least `interval` apart. An early beat waits, and is replaced by the
 * next; once one is due, it waits a little longer for a fresh one.
 */

import type { Beat } from "../../api/beat-frames";

/** Limits the map to three flashes a second, even for a shorter requested interval. */
export const SHORTEST_INTERVAL = 340;
/** Minimum interval for a viewer who prefers reduced motion, in ms. */
const CALM_INTERVAL = 2_000;
/** Bounds on the wait of an early beat for the next one, in ms. */
const [MIN_WAIT, MAX_WAIT] = [120, 1_000];

export class BeatScheduler {
  private lastBeat = -Infinity;
  private pending: Beat | null = null;
  private arrivedAt = -Infinity;
  /** When the waiting beat is shown. */
  private due = 0;
  private shortest = SHORTEST_INTERVAL;
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

  /** Return the ms from `now` until the waiting beat is shown. */
  wait(now: number): number {
    return Math.max(0, this.due - now);
  }

  /** Accept a beat that arrived at `now` (ms); return it if it is shown now, else null. */
  offer(beat: Beat, now: number): Beat | null {
    this.pending = beat;
    const next = this.lastBeat + this.interval;
    const fresher = now + Math.min(Math.max(1.5 * (now - this.arrivedAt), MIN_WAIT), MAX_WAIT);
    this.due = now < next ? Math.max(next, fresher) : now;
    this.arrivedAt = now;
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
