/** Placement of labels by priority, without overlaps. Pure. */

import type { Box } from "../../model/viewport";

/** A label that may be drawn. */
export interface Candidate {
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
export interface Placed<C extends Candidate> {
  of: C;
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
 * Place at most `most` candidates in order, each at the first offset from its position that is free and
 * inside `within`.
 */
export function placeLabels<C extends Candidate>(
  candidates: Iterable<C>,
  within: Box,
  most: number,
): Placed<C>[] {
  const boxes: Box[] = [];
  const placed: Placed<C>[] = [];
  for (const of of candidates) {
    if (placed.length >= most) break;
    for (const [dx, dy] of offsets(of)) {
      const box = boxOf(of, dx, dy);
      const inside =
        box.left >= within.left &&
        box.top >= within.top &&
        box.right <= within.right &&
        box.bottom <= within.bottom;
      if (!inside || boxes.some((other) => overlap(box, other))) continue;
      boxes.push(box);
      placed.push({ of, dx, dy });
      break;
    }
  }
  return placed;
}

/** Return the rectangle that a label takes at an offset, with some space around it. */
export function boxOf({ x, y, width, height }: Candidate, dx: number, dy: number): Box {
  return {
    left: x + dx - GAP,
    top: y + dy - height / 2 - 1,
    right: x + dx + width + GAP,
    bottom: y + dy + height / 2 + 1,
  };
}

/** Return the offsets to try, the best first. */
function offsets({ width, centred }: Candidate): [number, number][] {
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

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
