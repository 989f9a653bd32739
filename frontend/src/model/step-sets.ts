/** The three sets of a step (read, with a gradient, moved) and their differences. Pure. */

import type { StepDetail } from "../api/rest-types";

export type StepSetDifference = "noGradient" | "gradientOutside" | "unmoved" | "movedOutside";

/** Token ids in one set but not in the other, strongest first; null where a list is incomplete. */
type StepSetDifferences = Record<StepSetDifference, number[] | null>;

/**
 * Return the differences: read but without a gradient, with a gradient but not read, with a
 * gradient but unmoved, moved but not read. The record lists at most 500 rows of each set; a
 * difference of incomplete lists might be wrong, and is null.
 */
export function stepSetDifferences(detail: StepDetail): StepSetDifferences {
  const read = new Set(detail.tokens.flatMap((sequence) => sequence.slice(0, -1)));
  const gradient = detail.gradient.map(([id]) => id);
  const moved = detail.moved.map(([id]) => id);
  const known = {
    read: read.size === detail.batch_rows,
    gradient: gradient.length === detail.gradient_rows,
    moved: moved.length === detail.moved_rows,
  };
  const without = (ids: Iterable<number>, others: Iterable<number>) => {
    const set = new Set(others);
    return [...ids].filter((id) => !set.has(id));
  };
  return {
    noGradient: known.read && known.gradient ? without(read, gradient) : null,
    gradientOutside: known.read && known.gradient ? without(gradient, read) : null,
    unmoved: known.gradient && known.moved ? without(gradient, moved) : null,
    movedOutside: known.read && known.moved ? without(moved, read) : null,
  };
}
