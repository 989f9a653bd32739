/** The transition of the lamps from layout to layout, and of the land, which starts a moment later. */

import { GLIDE_MS, glideProgress } from "../easing";
import * as placement from "../../model/placement";
import type { Placement } from "../../model/placement";
import { UNIT_SQUARE } from "../../model/viewport";

const EMPTY_PLACEMENT: Placement = { places: new Uint16Array(0), box: UNIT_SQUARE };

/** A transition between two placements. */
export class LayoutTransition {
  to: Placement = EMPTY_PLACEMENT;
  private from: Placement = EMPTY_PLACEMENT;
  private started = -Infinity;
  private landStarted = -Infinity;

  /** Reset to a map without tokens. */
  reset() {
    this.from = this.to = EMPTY_PLACEMENT;
    this.started = this.landStarted = -Infinity;
  }

  /**
   * Start the transition to `next`; jump there if `atOnce`. Return the placement it starts from if it interrupts
   * another transition.
   */
  start(next: Placement, atOnce: boolean, now: number, still: boolean): Placement | undefined {
    const mixing = this.progress(now, still);
    const caught = mixing < 1 && this.to !== EMPTY_PLACEMENT && !atOnce;
    this.from =
      atOnce || this.to === EMPTY_PLACEMENT
        ? next
        : placement.mixPlacements(this.from, this.to, mixing);
    this.started = atOnce || this.to === EMPTY_PLACEMENT ? -Infinity : now;
    this.to = next;
    return caught ? this.from : undefined;
  }

  /** Start the land's transition, once it is known; jump there if `atOnce`. */
  startLand(atOnce: boolean, now: number) {
    this.landStarted = atOnce ? -Infinity : now;
  }

  /** Return the progress of the lamps, 0 to 1. */
  progress(now: number, still: boolean): number {
    return glideProgress(now - this.started, still);
  }

  /** Return the progress of the land, 0 to 1. */
  landProgress(now: number, still: boolean): number {
    return glideProgress(now - this.landStarted, still);
  }

  /** Return the milliseconds until the lamps arrive. */
  remainingMs(now: number): number {
    return Math.max(0, this.started + GLIDE_MS - now);
  }

  /** Return a token's position, in map units. */
  positionOf(id: number, mixing: number): [number, number] {
    const [x, y] = placement.positionOf(this.to, id);
    if (mixing >= 1 || this.from === this.to) return [x, y];
    const [fromX, fromY] = placement.positionOf(this.from, id);
    return [fromX + (x - fromX) * mixing, fromY + (y - fromY) * mixing];
  }

  /** Return the positions of all tokens. */
  currentPlacement(mixing: number): Placement {
    return placement.mixPlacements(this.from, this.to, mixing);
  }
}
