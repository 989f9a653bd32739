/** A line of a chart in words, for those who do not see it. Pure. */

import { t } from "../../strings";

/** What stands first and last, lowest and highest; only the name where nothing is known. */
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
