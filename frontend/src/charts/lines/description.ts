/** Lines of a chart in words, for people who cannot see them. Pure. */

import { t } from "../../strings";

/** Describe a line by its first, last, lowest and highest value; return only its name if no value is known. */
export function reading(name: string, steps: number[], values: (number | null)[]): string {
  let first: [number, number] | null = null;
  let last: [number, number] = [0, 0];
  let [low, high] = [Infinity, -Infinity];
  values.forEach((value, i) => {
    if (value === null || !Number.isFinite(value)) return;
    last = [steps[i]!, value];
    first ??= last;
    low = Math.min(low, value);
    high = Math.max(high, value);
  });
  return first ? t.told.line(name, first, last, low, high) : name;
}
