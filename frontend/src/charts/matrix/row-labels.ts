/** The labels of matrix rows: which ones fit, and their positions. Pure. */

export interface RowSpan {
  name: string;
  /** First row, and the row after the last. */
  first: number;
  last: number;
}

interface RowLabel {
  name: string;
  /** Pixels from the top to the middle of the name. */
  at: number;
}

/**
 * Place the names of the groups in view, widest first if not all fit, or those of single rows once each has
 * `labelHeight`.
 *
 * `top` and `bottom`: first and last row in view; `labelHeight`: pixels that a name needs.
 */
export function placeRowLabels(
  groups: RowSpan[],
  [top, bottom]: [number, number],
  height: number,
  labelHeight: number,
  nameOf: (row: number) => string,
): RowLabel[] {
  const scale = height / Math.max(1e-9, bottom - top);
  if (scale >= labelHeight) {
    const rows = Array.from(
      { length: Math.ceil(bottom) - Math.floor(top) },
      (_, i) => Math.floor(top) + i,
    );
    return rows
      .map((row) => ({ name: nameOf(row), at: (row + 0.5 - top) * scale }))
      .filter(({ at }) => at > 0 && at < height);
  }
  const visible = groups
    .map(({ name, first, last }) => ({
      name,
      from: Math.max(first, top),
      to: Math.min(last, bottom),
    }))
    .filter(({ from, to }) => to > from)
    .sort((a, b) => b.to - b.from - (a.to - a.from));
  const placed: RowLabel[] = [];
  for (const { name, from, to } of visible) {
    const middle = ((from + to) / 2 - top) * scale;
    const at = Math.max(labelHeight / 2, Math.min(height - labelHeight / 2, middle));
    if (placed.every((other) => Math.abs(other.at - at) >= labelHeight)) placed.push({ name, at });
  }
  return placed.sort((a, b) => a.at - b.at);
}
