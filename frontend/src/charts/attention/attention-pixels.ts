/** Attention weights as pixels. Pure. */

/** Colours from weight 0 to weight 1: night, dusk, lamp. */
const RAMP = [
  [19, 30, 58],
  [168, 104, 62],
  [255, 233, 196],
] as const;

/** Return the colour of a weight, 0 to 1. */
export function shareColour(share: number): [number, number, number] {
  const at = 2 * Math.sqrt(Math.max(0, Math.min(1, share)));
  const from = at < 1 ? 0 : 1;
  const [a, b] = [RAMP[from], RAMP[from + 1]!];
  const mix = (i: 0 | 1 | 2) => Math.round(a[i] + (at - from) * (b[i] - a[i]));
  return [mix(0), mix(1), mix(2)];
}

/** Return a square RGBA picture of rows of weights; columns that a row cannot see are transparent. */
export function attentionPixels(
  rows: readonly (readonly number[])[],
): Uint8ClampedArray<ArrayBuffer> {
  const size = rows.length;
  const pixels = new Uint8ClampedArray(4 * size * size);
  rows.forEach((shares, row) =>
    shares
      .slice(0, row + 1)
      .forEach((share, column) =>
        pixels.set([...shareColour(share), 255], 4 * (row * size + column)),
      ),
  );
  return pixels;
}
