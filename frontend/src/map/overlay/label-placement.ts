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
  /** True to centre the label over its position instead of beside it. */
  centred?: boolean;
  /** True if it takes no place that a visible candidate has. */
  patient?: boolean;
}

/** A label with its place. */
export interface PlacedLabel<C extends LabelCandidate> {
  candidate: C;
  /** Offset from the position to the text's left edge and middle line. */
  dx: number;
  dy: number;
  /** The rectangle it takes, with a margin around the text. */
  box: PixelRect;
}

/** Margins around a text, in pixels. */
const GAP = { x: 6, y: 3 };
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
 * touch; a new label takes a free place, or that of a later candidate unless it is patient.
 */
export function placeLabels<C extends LabelCandidate>(
  candidates: readonly C[],
  within: PixelRect,
  maxLabels: number,
  visible: ReadonlyMap<string, PlacedLabel<C>> = new Map(),
): PlacedLabel<C>[] {
  const boxes: PixelRect[] = [];
  const placed: PlacedLabel<C>[] = [];
  const shown = [...visible.values()].map(({ box }) => box);
  const staying = candidates.flatMap(({ key }) => visible.get(key)?.box ?? []);
  for (const candidate of candidates) {
    if (placed.length >= maxLabels) break;
    const held = visible.get(candidate.key);
    const meets = held ? textsMeet : overlap;
    const barred = (box: PixelRect) =>
      boxes.some((other) => meets(box, other)) ||
      (candidate.patient && !held && staying.some((other) => meets(box, other)));
    let best: PlacedLabel<C> | null = null;
    for (const [dx, dy] of held ? [heldOffset(candidate, held)] : offsets(candidate)) {
      const box = labelRect(candidate, dx, dy);
      if (!inside(box, within) || barred(box)) continue;
      const clear = held || !shown.some((other) => overlap(box, other));
      if (clear || !best) best = { candidate, dx, dy, box };
      if (clear) break;
    }
    if (!best) continue;
    boxes.push(best.box);
    placed.push(best);
  }
  return placed;
}

/** Return the offset that a visible label keeps; one over its position stays centred when its size changes. */
function heldOffset(
  { centred, width }: LabelCandidate,
  { candidate, dx, dy }: PlacedLabel<LabelCandidate>,
): [number, number] {
  return [centred ? dx + (candidate.width - width) / 2 : dx, dy];
}

/** Return the rectangle that a label takes at an offset, with a margin. */
export function labelRect(
  { x, y, width, height }: LabelCandidate,
  dx: number,
  dy: number,
): PixelRect {
  return {
    left: x + dx - GAP.x,
    top: y + dy - height / 2 - GAP.y,
    right: x + dx + width + GAP.x,
    bottom: y + dy + height / 2 + GAP.y,
  };
}

/** Return the offsets to try, best first. */
function offsets({ width, height, centred, gap = 10 }: LabelCandidate): [number, number][] {
  if (centred) {
    const middle = -width / 2;
    return [
      [middle, 0],
      [middle, -0.8 * height],
      [middle, 0.8 * height],
      [1.5 * middle, 0],
      [0.5 * middle, 0],
      [middle, -1.5 * height],
      [middle, 1.5 * height],
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
  return overlap(a, b, 2 * GAP.x - 1, 2 * GAP.y - 1);
}

function inside(box: PixelRect, within: PixelRect): boolean {
  return (
    box.left >= within.left &&
    box.top >= within.top &&
    box.right <= within.right &&
    box.bottom <= within.bottom
  );
}

/** Return whether two rectangles overlap by more than `x` and `y` pixels. */
function overlap(a: PixelRect, b: PixelRect, x = 0, y = 0): boolean {
  return (
    a.left + x < b.right && b.left + x < a.right && a.top + y < b.bottom && b.top + y < a.bottom
  );
}
