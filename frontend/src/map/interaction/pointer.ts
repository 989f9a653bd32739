/** Tells clicks on the map from drags, and remembers the modifier key held with them. */

import type { Point } from "./lasso";

/** The modifier held when a pointer went down: shift adds, alt removes. */
export type HeldModifier = "add" | "take" | null;

/** Pixels a pointer must move before it drags or draws instead of clicking. */
const MIN_DRAG = 5;

/** The pointers that are down on the map. */
export class Presses {
  /** The modifier held when the pointer last went down. */
  held: HeldModifier = null;
  /** Where the pointer went down, and the modifier held then; null once it can no longer be a click. */
  private pressed: (Point & { modifier: HeldModifier }) | null = null;
  /** Ids of the pointers that are down. */
  private readonly down = new Set<number>();

  start(event: PointerEvent) {
    if ((event.target as Element).closest(".modebar")) return;
    this.down.add(event.pointerId);
    this.held = event.shiftKey ? "add" : event.altKey ? "take" : null;
    // Two fingers pinch; neither of them taps.
    this.pressed =
      this.down.size > 1 ? null : { x: event.clientX, y: event.clientY, modifier: this.held };
  }

  /**
   * Drop the click once the pointer has moved away, even if it comes back as a lasso does. Listens on the
   * window, since Plotly covers the page while dragging.
   */
  moved = (event: PointerEvent) => {
    if (this.pressed && hasMoved(event, this.pressed)) this.pressed = null;
  };

  cancel = (event: PointerEvent) => {
    this.down.delete(event.pointerId);
    this.pressed = null;
  };

  /** End a press. Return the modifier held with it if it was a click, else null. */
  end(event: PointerEvent): { modifier: HeldModifier } | null {
    const { pressed } = this;
    this.cancel(event);
    return pressed && !hasMoved(event, pressed) ? pressed : null;
  }
}

function hasMoved({ clientX, clientY }: PointerEvent, { x, y }: Point): boolean {
  return Math.hypot(clientX - x, clientY - y) > MIN_DRAG;
}
