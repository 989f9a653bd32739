/** Settings of a training, nested as its program kept them, as a flat list. Hostile: only text comes out. Pure. */

/** Limits of what is shown: lines, and characters of a value. */
const MAX_LINES = 60;
const MAX_TEXT = 200;

/** Return each setting as a name with dots and its value, and how many more there are. */
export function flattenSettings(settings: Record<string, unknown>): {
  lines: [name: string, value: string][];
  more: number;
} {
  const all: [string, string][] = [];
  // A list of values, not a recursion: how deep it goes is another's choice.
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
