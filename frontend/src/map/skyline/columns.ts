/**
 * The map in 3-D: a column at each token's position, its height a quantity of the token. Selection, heights
 * and labels of the columns. Pure.
 */

import type { Layout } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";

/** Limit on columns that stay smooth; with more tokens, only the most frequent have one. */
export const MAX_COLUMNS = 5_000;
/** Number of the highest columns that are labelled. */
const MAX_LABELS = 7;
/** Least distance between two labelled columns, as a share of the ground. */
const LABEL_DISTANCE = 0.09;

/** Input of the 3-D view. */
export interface Skyline {
  vocabulary: Vocabulary;
  layout: Layout;
  /** Four bytes per token, as in the map's renderer. */
  tints: Uint8Array;
  /** Height by token id; NaN if not known. */
  heights: Float32Array;
  logarithmic: boolean;
  /** Title of the axis, with its unit. */
  axis: string;
}

/** Marks on the columns. */
export interface SkylineMarks {
  chosen: number | null;
  /** Tokens drawn with a ring: focused, selected, or under the pointer on the map beside it. */
  ringed: number[];
}

/** The tokens that are drawn. */
interface Columns {
  /** Tokens with a column, the most frequent first. */
  withHeight: number[];
  /** Tokens whose height is not known, drawn on the ground. */
  withoutHeight: number[];
}

/** Return the tokens to draw: the most frequent, and always those in `always`. */
export function columnsOf(
  byCount: Uint32Array,
  heights: Float32Array,
  always: number[],
  maxColumns = MAX_COLUMNS,
): Columns {
  const drawn = new Set(byCount.subarray(0, maxColumns));
  for (const id of always) if (id < heights.length) drawn.add(id);
  const withHeight: number[] = [];
  const withoutHeight: number[] = [];
  for (const id of drawn) (Number.isFinite(heights[id]) ? withHeight : withoutHeight).push(id);
  return { withHeight, withoutHeight };
}

/** Return the drawn height of a value. */
export function drawnHeight(value: number, logarithmic: boolean): number {
  return logarithmic ? Math.log10(1 + Math.max(0, value)) : value;
}

/** Return round numbers for a logarithmic axis, up to the highest value. */
export function ticksUpTo(highest: number): number[] {
  const ticks = [0, 1];
  while (ticks[ticks.length - 1]! < highest && ticks.length < 12) {
    ticks.push(10 * ticks[ticks.length - 1]!);
  }
  return highest > 0 ? ticks.filter((tick) => tick <= highest) : [0];
}

/**
 * Return the highest columns, far enough from one another and from those in `taken` for their labels to fit.
 */
export function highestApart(
  withHeight: number[],
  heights: Float32Array,
  xy: Float32Array,
  taken: number[] = [],
  maxLabels = MAX_LABELS,
): number[] {
  const [w, h] = spanOf(withHeight, xy);
  const named: number[] = [];
  for (const id of withHeight.toSorted((a, b) => heights[b]! - heights[a]! || a - b)) {
    if (named.length >= maxLabels || !(heights[id]! > 0)) break;
    const near = [...taken, ...named].some(
      (other) =>
        Math.hypot((xy[2 * id]! - xy[2 * other]!) / w, (xy[2 * id + 1]! - xy[2 * other + 1]!) / h) <
        LABEL_DISTANCE,
    );
    if (!near) named.push(id);
  }
  return named;
}

function spanOf(ids: number[], xy: Float32Array): [number, number] {
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const id of ids) {
    [x0, x1] = [Math.min(x0, xy[2 * id]!), Math.max(x1, xy[2 * id]!)];
    [y0, y1] = [Math.min(y0, xy[2 * id + 1]!), Math.max(y1, xy[2 * id + 1]!)];
  }
  return [x1 > x0 ? x1 - x0 : 1, y1 > y0 ? y1 - y0 : 1];
}
