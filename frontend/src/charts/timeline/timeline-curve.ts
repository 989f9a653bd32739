/** The curve of the timeline: its SVG path, and the ticks below it. Pure. */

/** Height of the curve's view box; its width is the last step. */
export const CURVE_HEIGHT = 100;

/** Return the path of a line through the values at these steps; a missing value leaves a gap. */
export function curvePath(
  steps: readonly number[],
  values: readonly number[],
  [low, high]: readonly [number, number],
): string {
  let path = "";
  let pen = "M";
  for (const [i, value] of values.entries()) {
    if (Number.isFinite(value)) {
      path += `${pen}${steps[i]} ${(CURVE_HEIGHT * (1 - (value - low) / (high - low))).toFixed(1)}`;
      pen = "L";
    } else pen = "M";
  }
  return path;
}

/** Return round steps from 0 to at most `last`, no more than `most` intervals of them. */
export function tickSteps(last: number, most: number): number[] {
  const power = 10 ** Math.floor(Math.log10(last / most));
  const interval = Math.max(
    1,
    [1, 2, 5, 10].map((times) => times * power).find((one) => last / one <= most) ?? last,
  );
  return Array.from({ length: Math.floor(last / interval) + 1 }, (_, i) => i * interval);
}
