/** The place of a step in ascending steps. Pure. */

/**
 * Return the index of the last of the ascending `steps` at or before `step`; -1 if there is none.
 */
export function lastIndexAtOrBefore(steps: number[], step: number | null): number {
  if (step === null) return steps.length - 1;
  return steps.findLastIndex((one) => one <= step);
}
