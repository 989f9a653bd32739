/** The transition of the lamps from layout to layout, and of the land, which starts a moment later. */

import { GLIDE, glideAt } from "../easing";
import * as placement from "../../model/placement";
import type { Placement } from "../../model/placement";

const NOWHERE: Placement = { places: new Uint16Array(0), box: { x0: 0, x1: 1, y0: 0, y1: 1 } };

/** A transition between two placements. */
export class Journey {
  to: Placement = NOWHERE;
  private from: Placement = NOWHERE;
  private started = -Infinity;
  private landStarted = -Infinity;

  /** Reset to a map without tokens. */
  forget() {
    this.from = this.to = NOWHERE;
    this.started = this.landStarted = -Infinity;
  }

  /**
   * Start the transition to `next`; jump there if `cut`. Return the placement it starts from if it interrupts
   * another transition.
   */
  go(next: Placement, cut: boolean, now: number, still: boolean): Placement | undefined {
    const mixing = this.mixing(now, still);
    const caught = mixing < 1 && this.to !== NOWHERE && !cut;
    this.from = cut || this.to === NOWHERE ? next : placement.between(this.from, this.to, mixing);
    this.started = cut || this.to === NOWHERE ? -Infinity : now;
    this.to = next;
    return caught ? this.from : undefined;
  }

  /** Start the land's transition, once it is known; jump there if `cut`. */
  raise(cut: boolean, now: number) {
    this.landStarted = cut ? -Infinity : now;
  }

  /** Return the progress of the lamps, 0 to 1. */
  mixing(now: number, still: boolean): number {
    return glideAt(now - this.started, still);
  }

  /** Return the progress of the land, 0 to 1. */
  rising(now: number, still: boolean): number {
    return glideAt(now - this.landStarted, still);
  }

  /** Return the milliseconds until the lamps arrive. */
  left(now: number): number {
    return Math.max(0, this.started + GLIDE - now);
  }

  /** Return a token's position, in map units. */
  at(id: number, mixing: number): [number, number] {
    const [x, y] = placement.at(this.to, id);
    if (mixing >= 1 || this.from === this.to) return [x, y];
    const [fromX, fromY] = placement.at(this.from, id);
    return [fromX + (x - fromX) * mixing, fromY + (y - fromY) * mixing];
  }

  /** Return the positions of all tokens. */
  placed(mixing: number): Placement {
    return placement.between(this.from, this.to, mixing);
  }
}
