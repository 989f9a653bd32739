/**
 * The choice of the steps that become beats of the map.
 *
 * A beat is one real step, never a merge of several, and beats are at least `interval` apart. When
 * one is due, the next step to arrive is lit, so what glows is always fresh; the steps between are
 * only counted. When no more steps come, the last of them still gets its beat.
 */

import type { ClassBeat } from "../../api/class-frames";
import type { Pulse } from "../../api/frames";

/** A step that may become a beat of the map; several in one never do. */
export type Lightable = Pulse | ClassBeat;

/** Limits the map to three flashes a second, whatever interval is requested. */
export const SHORTEST_INTERVAL = 340;

/** Bounds in ms on how long a due beat waits for a step newer than the last one seen. */
const SHORTEST_WAIT = 120;
export const LONGEST_WAIT = 1_000;

export class BeatScheduler {
  private lastBeat = -Infinity;
  private pending: Lightable | null = null;
  private lastArrival = -Infinity;
  /** Time between the last two steps, ms; the next is expected after about as long. */
  private gap = 0;
  private shortest = SHORTEST_INTERVAL;

  constructor(interval: number) {
    this.interval = interval;
  }

  get interval(): number {
    return this.shortest;
  }

  set interval(milliseconds: number) {
    this.shortest = Math.max(SHORTEST_INTERVAL, milliseconds);
  }

  /**
   * Accept a step that arrived at `now` (ms); return it if it should glow now, else null.
   */
  offer(step: Lightable, now: number): Lightable | null {
    if (step.kind === "pulse" && step.merged) return null;
    this.gap = now - this.lastArrival;
    this.lastArrival = now;
    if (now - this.lastBeat >= this.shortest) return this.fire(step, now);
    this.pending = step;
    return null;
  }

  /** Return the waiting step if it is due at `now` (ms) and no newer one came, else null. */
  tick(now: number): Lightable | null {
    if (!this.pending || now - this.lastBeat < this.shortest) return null;
    const awaited =
      this.lastArrival + Math.min(LONGEST_WAIT, Math.max(SHORTEST_WAIT, 1.5 * this.gap));
    return now < awaited ? null : this.fire(this.pending, now);
  }

  /** Drop the waiting step: for another run, another attempt, or a beat from elsewhere. */
  clear() {
    this.pending = null;
  }

  private fire(step: Lightable, now: number): Lightable {
    this.lastBeat = now;
    this.pending = null;
    return step;
  }
}
