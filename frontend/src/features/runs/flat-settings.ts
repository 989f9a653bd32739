/** The nested settings of a recorded run as a flat list. Hostile input: the result is text only. Pure. */

/** Limits on the number of lines, and on the characters of a name or value. */
const MAX_LINES = 60;
const MAX_TEXT = 200;

/** Return each setting as a dotted name and its value, and the number of settings left out. */
export function flattenSettings(settings: Record<string, unknown>): {
  lines: [name: string, value: string][];
  more: number;
} {
  const all: [string, string][] = [];
  // A stack instead of recursion, because the input sets the depth.
  const open: [string, unknown][] = Object.entries(settings).reverse();
  for (let next = open.pop(); next; next = open.pop()) {
    const [name, value] = next;
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      const inner = Object.entries(value).map(([key, one]): [string, unknown] => [
        `${name}.${key}`,
        one,
      ]);
      open.push(...inner.reverse());
    } else {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      all.push([name.slice(-MAX_TEXT), text.slice(0, MAX_TEXT)]);
    }
  }
  return { lines: all.slice(0, MAX_LINES), more: Math.max(0, all.length - MAX_LINES) };
}
