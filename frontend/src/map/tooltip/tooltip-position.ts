/** The position of the tooltip beside the pointer. Pure. */

import type { Point } from "../interaction/lasso";

interface Size {
  width: number;
  height: number;
}

/** Pixels between pointer and tooltip, and between tooltip and edge. */
const AWAY = 18;
const EDGE = 8;

/**
 * Return left and top of the tooltip: to the right of the pointer and below it, or on the other side for lack
 * of space.
 */
export function tooltipPosition(pointer: Point, card: Size, around: Size): [number, number] {
  const placeAlong = (at: number, size: number, available: number): [number, boolean] => {
    if (at + AWAY + size + EDGE <= available) return [at + AWAY, true];
    if (at - AWAY - size >= EDGE) return [at - AWAY - size, true];
    return [Math.max(EDGE, Math.min(at - size / 2, available - size - EDGE)), false];
  };
  const [left, clear] = placeAlong(pointer.x, card.width, around.width);
  const [below, apart] = placeAlong(pointer.y, card.height, around.height);
  // Too wide for either side and too high for above or below: use the half with more space.
  const free = pointer.y > around.height / 2 ? EDGE : around.height - card.height - EDGE;
  return [left, clear || apart ? below : free];
}
