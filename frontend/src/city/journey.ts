/** The lamps' way from one layout to the next, and the land's, which sets out a moment later. */

import { GLIDE, glideAt } from "./glide";
import * as placement from "./placement";
import type { Placement } from "./placement";

const NOWHERE: Placement = { places: new Uint16Array(0), box: { x0: 0, x1: 1, y0: 0, y1: 1 } };

export class Journey {
  to: Placement = NOWHERE;
  private from: Placement = NOWHERE;
  private started = -Infinity;
  private landStarted = -Infinity;

  /** Nothing lies anywhere any more. */
  forget() {
    this.from = this.to = NOWHERE;
    this.started = this.landStarted = -Infinity;
  }

  /** Go to `next`; `cut`: be there at once. Returns where it sets out, where that is not the last goal. */
  go(next: Placement, cut: boolean, now: number, still: boolean): Placement | undefined {
    const mixing = this.mixing(now, still);
    const caught = mixing < 1 && this.to !== NOWHERE && !cut;
    this.from = cut || this.to === NOWHERE ? next : placement.between(this.from, this.to, mixing);
    this.started = cut || this.to === NOWHERE ? -Infinity : now;
    this.to = next;
    return caught ? this.from : undefined;
  }

  /** The land of the goal is known; `cut`: it is there at once. */
  raise(cut: boolean, now: number) {
    this.landStarted = cut ? -Infinity : now;
  }

  /** How far the lamps have come, 0 to 1. */
  mixing(now: number, still: boolean): number {
    return glideAt(now - this.started, still);
  }

  /** How far the land has. */
  rising(now: number, still: boolean): number {
    return glideAt(now - this.landStarted, still);
  }

  /** Milliseconds until the lamps are there. */
  left(now: number): number {
    return Math.max(0, this.started + GLIDE - now);
  }

  /** Where a token is, in map units. */
  at(id: number, mixing: number): [number, number] {
    const [x, y] = placement.at(this.to, id);
    if (mixing >= 1 || this.from === this.to) return [x, y];
    const [fromX, fromY] = placement.at(this.from, id);
    return [fromX + (x - fromX) * mixing, fromY + (y - fromY) * mixing];
  }

  /** Where all tokens are. */
  placed(mixing: number): Placement {
    return placement.between(this.from, this.to, mixing);
  }
}
