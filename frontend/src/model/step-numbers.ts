/** Numbers that recorded steps have in the training that they were recorded from. */

/** From a step on: its number, and how much that grows with each step; 0: the numbers are not known. */
export type NumberStretch = readonly [step: number, number: number, stride: number];

/** Return the number of a step in its own training; null if it is not known. */
export function stepNumber(step: number, stretches: readonly NumberStretch[]): number | null {
  const [first, number, stride] =
    stretches.findLast(([from]) => from <= step) ?? stretches[0] ?? ([0, 0, 1] as const);
  return stride ? number + (step - first) * stride : null;
}
