/** Lines of a chart in words, for people who cannot see them. Pure. */

/** Describes a line by its name, its ends (each a step and a value), and its lowest and highest value. */
export type LineWords = (
  name: string,
  first: [number, number],
  last: [number, number],
  low: number,
  high: number,
) => string;

/**
 * Describe a line by its first, last, lowest and highest value; return only its name if no value is known.
 */
export function describeLine(
  name: string,
  steps: number[],
  values: (number | null)[],
  words: LineWords,
): string {
  let first: [number, number] | null = null;
  let last: [number, number] = [0, 0];
  let [low, high] = [Infinity, -Infinity];
  for (const [i, value] of values.entries()) {
    if (value === null || !Number.isFinite(value)) continue;
    last = [steps[i]!, value];
    first ??= last;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return first ? words(name, first, last, low, high) : name;
}
