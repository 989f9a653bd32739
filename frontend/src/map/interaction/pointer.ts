/** Which of the presses on the map are clicks, and what was held with them. */

import type { Point } from "./lasso";

/** Shift adds, alt takes away. */
export type Held = "add" | "take" | null;

/** Pixels a pointer moves until it means to drag or to draw, and no click. */
const MEANT = 5;

export class Presses {
  /** What was held when the pointer last went down. */
  held: Held = null;
  /** Where the pointer went down, and what was held with it; null once it is no click any more. */
  private pressed: (Point & { how: Held }) | null = null;
  /** Pointers that are down. */
  private readonly down = new Set<number>();

  begin(event: PointerEvent) {
    if ((event.target as Element).closest(".modebar")) return;
    this.down.add(event.pointerId);
    this.held = event.shiftKey ? "add" : event.altKey ? "take" : null;
    // Two fingers pinch: neither of them taps.
    this.pressed =
      this.down.size > 1 ? null : { x: event.clientX, y: event.clientY, how: this.held };
  }

  /** Also when it comes back, as a line around tokens does; and over what Plotly lays above the page to drag on. */
  travelled = (event: PointerEvent) => {
    if (this.pressed && far(event, this.pressed)) this.pressed = null;
  };

  lost = (event: PointerEvent) => {
    this.down.delete(event.pointerId);
    this.pressed = null;
  };

  /** End a press; says what was held with it where it was a click, else null. */
  end(event: PointerEvent): { how: Held } | null {
    const { pressed } = this;
    this.lost(event);
    return pressed && !far(event, pressed) ? pressed : null;
  }
}

function far({ clientX, clientY }: PointerEvent, { x, y }: Point): boolean {
  return Math.hypot(clientX - x, clientY - y) > MEANT;
}
