/** Numbers that recorded steps had in the training that was recorded. */

/** From a step on: its number, and the increase per step; 0: the numbers are not known. */
export type NumberStretch = readonly [step: number, number: number, stride: number];

/** Return the number of a step in its original training; null if it is not known. */
export function stepNumber(step: number, stretches: readonly NumberStretch[]): number | null {
  const [first, number, stride] =
    stretches.findLast(([from]) => from <= step) ?? stretches[0] ?? ([0, 0, 1] as const);
  return stride ? number + (step - first) * stride : null;
}
