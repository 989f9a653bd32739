/** The lines that the model generated after some training steps, and which of them belong to a step. Pure. */

import type { LineSet } from "../../api/rest-types";

/**
 * Return sets of lines in order of their steps, with one added. Its attempt replaces the lines of earlier
 * attempts at its step and later.
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

/** Return the newest set at or before a step; null if there is none. */
export function lineSetAt(sets: readonly LineSet[] | null, step: number): LineSet | null {
  return sets?.findLast((one) => one.step <= step) ?? null;
}

/** Return a line of a set, wrapping around: the likeliest words first, then the sampled ones. */
export function lineOf({ lines }: LineSet, place: number): LineSet["lines"][number] | null {
  const ordered = [...lines].sort((a, b) => Number(a.sampled) - Number(b.sampled));
  return ordered[place % ordered.length] ?? null;
}
