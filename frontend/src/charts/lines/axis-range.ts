/**
 * Axis ranges for growing data. They end at round numbers, so that ticks stay put as data arrives: a creeping
 * tick draws the eye, and Plotly caches the size of every label at every position. Pure.
 */

/**
 * Return a round end for an axis from 0 to `most`: the next number of two digits and zeros, or 1 if `most` is
 * not positive.
 */
export function roundAxisEnd(most: number): number {
  if (!(most > 0)) return 1;
  const unit = 10 ** (Math.floor(Math.log10(most)) - 1);
  return unit < 1 ? Math.ceil(most) : Math.ceil(most / unit) * unit;
}

/** Return round numbers around all finite `values`, on a grid of 10 to 25 lines; null if there are none. */
export function roundAxisRange(values: readonly number[]): [number, number] | null {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (least > most) return null;
  const unit = gridSpacing(most - least);
  const [low, high] = [Math.floor(least / unit) * unit, Math.ceil(most / unit) * unit];
  return low < high ? [low, high] : [low - unit, high + unit];
}

function gridSpacing(spread: number): number {
  if (!(spread > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(spread));
  return power / (spread >= 5 * power ? 2 : spread >= 2 * power ? 5 : 10);
}
