/** Placement of labels by priority, without overlaps. Pure. */

import type { PixelRect } from "../../model/viewport";

/** A label that may be drawn. */
export interface LabelCandidate {
  key: string;
  text: string;
  /** The labelled position and the size of the text, in pixels. */
  x: number;
  y: number;
  width: number;
  height: number;
  /** True to centre the label on its position instead of beside it. */
  centred?: boolean;
}

/** A label with its offset. */
interface PlacedLabel<C extends LabelCandidate> {
  candidate: C;
  /** Offset from the position to the text's left edge and middle line. */
  dx: number;
  dy: number;
}

const GAP = 4;
/**
 * Labels at least this wide (px) may also go above or below their position, as neither side may have space.
 */
const WIDE = 200;

/**
 * Place at most `maxLabels` candidates in order, each at the first offset from its position that is free and
 * inside `within`.
 */
export function placeLabels<C extends LabelCandidate>(
  candidates: Iterable<C>,
  within: PixelRect,
  maxLabels: number,
): PlacedLabel<C>[] {
  const boxes: PixelRect[] = [];
  const placed: PlacedLabel<C>[] = [];
  for (const candidate of candidates) {
    if (placed.length >= maxLabels) break;
    for (const [dx, dy] of offsets(candidate)) {
      const box = labelRect(candidate, dx, dy);
      const inside =
        box.left >= within.left &&
        box.top >= within.top &&
        box.right <= within.right &&
        box.bottom <= within.bottom;
      if (!inside || boxes.some((other) => overlap(box, other))) continue;
      boxes.push(box);
      placed.push({ candidate, dx, dy });
      break;
    }
  }
  return placed;
}

/** Return the rectangle that a label takes at an offset, with some space around it. */
export function labelRect(
  { x, y, width, height }: LabelCandidate,
  dx: number,
  dy: number,
): PixelRect {
  return {
    left: x + dx - GAP,
    top: y + dy - height / 2 - 1,
    right: x + dx + width + GAP,
    bottom: y + dy + height / 2 + 1,
  };
}

/** Return the offsets to try, the best first. */
function offsets({ width, centred }: LabelCandidate): [number, number][] {
  if (centred) {
    const middle = -width / 2;
    return [
      [middle, 0],
      [middle, -18],
      [middle, 18],
    ];
  }
  const beside: [number, number][] = [
    [7, -8],
    [-width - 7, -8],
    [7, 9],
    [-width - 7, 9],
  ];
  if (width < WIDE) return beside;
  return [...beside, [-width / 2, -22], [-width / 2, 23]];
}

function overlap(a: PixelRect, b: PixelRect): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
