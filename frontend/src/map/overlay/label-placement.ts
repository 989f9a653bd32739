/** Placement of labels by priority, without overlaps. Pure. */

import type { PixelRect } from "../../model/plane/viewport";

/** A label that may be drawn. */
export interface LabelCandidate {
  key: string;
  text: string;
  /** The labelled position and the size of the text, in pixels. */
  x: number;
  y: number;
  width: number;
  height: number;
  /** Distance of a label beside its position, in pixels. */
  gap?: number;
  /** True to centre the label on its position instead of beside it. */
  centred?: boolean;
}

/** A label with its offset. */
export interface PlacedLabel<C extends LabelCandidate> {
  candidate: C;
  /** Offset from the position to the text's left edge and middle line. */
  dx: number;
  dy: number;
}

/** The offset of a visible label, and the rectangle it takes at its current position. */
interface VisibleLabel {
  dx: number;
  dy: number;
  box: PixelRect;
}

const GAP = 4;
/**
 * Labels at least this wide (px) may also go above or below their position, because neither side may have
 * space.
 */
const WIDE = 200;

/**
 * Place at most `maxLabels` candidates in order, each at the first offset from its position that is free and
 * inside `within`.
 *
 * Visible labels (`visible`, by key) keep their offset or go, and go only once the texts themselves would
 * touch; a new label takes a free place, or that of a later candidate.
 */
export function placeLabels<C extends LabelCandidate>(
  candidates: Iterable<C>,
  within: PixelRect,
  maxLabels: number,
  visible: ReadonlyMap<string, VisibleLabel> = new Map(),
): PlacedLabel<C>[] {
  const boxes: PixelRect[] = [];
  const placed: PlacedLabel<C>[] = [];
  for (const candidate of candidates) {
    if (placed.length >= maxLabels) break;
    const held = visible.get(candidate.key);
    const options = held ? [[held.dx, held.dy] as const] : offsets(candidate);
    const free = options
      .map(([dx, dy]) => ({ dx, dy, box: labelRect(candidate, dx, dy) }))
      .filter(
        ({ box }) =>
          box.left >= within.left &&
          box.top >= within.top &&
          box.right <= within.right &&
          box.bottom <= within.bottom &&
          !boxes.some((other) => (held ? textsMeet(box, other) : overlap(box, other))),
      );
    const clear = ({ box }: VisibleLabel) =>
      ![...visible.values()].some((other) => overlap(box, other.box));
    const best = (!held && visible.size && free.find(clear)) || free[0];
    if (!best) continue;
    boxes.push(best.box);
    placed.push({ candidate, dx: best.dx, dy: best.dy });
  }
  return placed;
}

/** Return the rectangle that a label takes at an offset, with a margin. */
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

/** Return the offsets to try, best first. */
function offsets({ width, centred, gap = 10 }: LabelCandidate): [number, number][] {
  if (centred) {
    const middle = -width / 2;
    return [
      [middle, -14],
      [middle, -32],
      [middle, 4],
    ];
  }
  const beside: [number, number][] = [
    [gap, 0],
    [gap - 1, -10],
    [gap - 1, 10],
    [-width - gap, 0],
    [1 - width - gap, -10],
  ];
  if (width < WIDE) return beside;
  return [...beside, [-width / 2, -22], [-width / 2, 23]];
}

/** Return whether the texts in two labels' rectangles touch, without the margins. */
export function textsMeet(a: PixelRect, b: PixelRect): boolean {
  return overlap(a, b, 2 * GAP - 1, 1);
}

/** Return whether two rectangles overlap by more than `x` and `y` pixels. */
function overlap(a: PixelRect, b: PixelRect, x = 0, y = 0): boolean {
  return (
    a.left + x < b.right && b.left + x < a.right && a.top + y < b.bottom && b.top + y < a.bottom
  );
}
