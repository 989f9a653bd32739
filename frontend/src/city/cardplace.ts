/** Where a card stands beside the pointer. Pure. */

import type { Point } from "./lasso";

interface Size {
  width: number;
  height: number;
}

/** Pixels between the pointer and the card, and between the card and the edge. */
const AWAY = 18;
const EDGE = 8;

/** Left and top of a card: right of the pointer and below, or on the other side where there is no room. */
export function cardPlace(pointer: Point, card: Size, around: Size): [number, number] {
  const beside = (at: number, size: number, room: number): [number, boolean] => {
    if (at + AWAY + size + EDGE <= room) return [at + AWAY, true];
    if (at - AWAY - size >= EDGE) return [at - AWAY - size, true];
    return [Math.max(EDGE, Math.min(at - size / 2, room - size - EDGE)), false];
  };
  const [left, clear] = beside(pointer.x, card.width, around.width);
  let [top, apart] = beside(pointer.y, card.height, around.height);
  // Too wide to stand beside the pointer and too high for above or below: on the side with more room.
  if (!clear && !apart)
    top = pointer.y > around.height / 2 ? EDGE : around.height - card.height - EDGE;
  return [left, top];
}
