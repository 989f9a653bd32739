/** The three sets of a step, and what is in one but not in another. Pure. */

import type { StepDetail } from "../wire/rest";

export type Difference = "noGradient" | "gradientOutside" | "unmoved" | "movedOutside";

/** Token ids in one set but not in the other, the strongest first; null where a list is not told in full. */
export type Differences = Record<Difference, number[] | null>;

/**
 * What differs: read but without a gradient, with a gradient but not read, with a gradient but unmoved, moved but not
 * read. The record tells at most 500 rows of each set: of longer ones nothing is said that might be wrong.
 */
export function differences(detail: StepDetail): Differences {
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
