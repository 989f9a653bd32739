/**
 * Which steps become beats of the map.
 *
 * A beat is one real step, never several in one, and beats are at least `interval` apart. When one is
 * due, the next step to arrive is lit, so what glows is always fresh; the steps between are only
 * counted. When the steps stop coming, the last of them still gets its beat.
 */

import type { Pulse } from "../wire/frames";

/** No more than three flashes a second, whatever is asked for. */
export const SHORTEST_INTERVAL = 340;

/** How long a due beat waits for something fresher than a step already seen, in ms: at least, at most. */
const GRACE = 120;
const PATIENCE = 1_000;

export class BeatScheduler {
  private last = -Infinity;
  private pending: Pulse | null = null;
  private arrived = -Infinity;
  /** Time between the last two steps, ms: the next is about as far away. */
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

  /** A step arrived at `now` (ms); the pulse, if it is to glow now. */
  offer(pulse: Pulse, now: number): Pulse | null {
    if (pulse.merged) return null;
    this.gap = now - this.arrived;
    this.arrived = now;
    if (now - this.last >= this.shortest) return this.fire(pulse, now);
    this.pending = pulse;
    return null;
  }

  /** Time passed; a step that waited and is due now, when nothing fresher came. */
  tick(now: number): Pulse | null {
    if (!this.pending || now - this.last < this.shortest) return null;
    const awaited = this.arrived + Math.min(PATIENCE, Math.max(GRACE, 1.5 * this.gap));
    return now < awaited ? null : this.fire(this.pending, now);
  }

  /** Forget what waits: another run, another attempt, or a beat found elsewhere. */
  clear() {
    this.pending = null;
  }

  private fire(pulse: Pulse, now: number): Pulse {
    this.last = now;
    this.pending = null;
    return pulse;
  }
}
