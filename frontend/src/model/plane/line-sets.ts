/** The lines that the model said after some steps of its training, and which of them belong to a step. Pure. */

import type { LineSet } from "../../api/rest-types";

/**
 * Return known sets of lines, in order of their steps, with one more. An attempt takes the place of all that earlier
 * ones said at its step and later.
 */
export function withLineSet(
  known: readonly LineSet[],
  { step, attempt, lines }: LineSet,
): LineSet[] {
  const others = known.filter(
    (one) => one.step < step || (one.step > step && one.attempt >= attempt),
  );
  return [...others, { step, attempt, lines }].sort((a, b) => a.step - b.step);
}

/** Return the newest set said at a step or before it; null if nothing was said by then. */
export function lineSetAt(sets: readonly LineSet[] | null, step: number): LineSet | null {
  return sets?.findLast((one) => one.step <= step) ?? null;
}

/** Return a line of a set, going round from the last to the first: the likeliest words first, then those by chance. */
export function lineOf({ lines }: LineSet, place: number): LineSet["lines"][number] | null {
  const ordered = [...lines].sort((a, b) => Number(a.sampled) - Number(b.sampled));
  return ordered[place % ordered.length] ?? null;
}
