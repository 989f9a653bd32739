/** The points of a scatter chart that are drawn where there are too many: some of each part of it, and the outermost. Pure. */

/** Points drawn for each part of the chart: half of them stand for their part, the others fill in where there are many. */
const POINTS_PER_PART = 2;

/**
 * Choose at most `most` points; return their indexes, ascending. `x` and `y` are in the chart's own scale, so that every part of
 * it counts alike. A point with a number that is not finite has no place, and is left out.
 */
export function thinPoints(x: ArrayLike<number>, y: ArrayLike<number>, most: number): number[] {
  const placed = Array.from(x, (_, i) => i).filter(
    (i) => Number.isFinite(x[i]) && Number.isFinite(y[i]),
  );
  if (placed.length <= most) return placed;
  const chosen = new Set<number>();
  const side = Math.max(1, Math.floor(Math.sqrt(most / POINTS_PER_PART)));
  const cells = [x, y].map((values) => {
    let [least, largest] = [placed[0]!, placed[0]!];
    for (const i of placed) {
      if (values[i]! < values[least]!) least = i;
      if (values[i]! > values[largest]!) largest = i;
    }
    chosen.add(least).add(largest);
    const [start, width] = [values[least]!, values[largest]! - values[least]! || 1];
    return (i: number) => Math.min(side - 1, Math.floor((side * (values[i]! - start)) / width));
  });
  const met = new Set<number>();
  for (const i of placed) {
    const cell = cells[0]!(i) * side + cells[1]!(i);
    if (!met.has(cell)) chosen.add(i);
    met.add(cell);
  }
  // Where there are many, more are drawn.
  const others = placed.filter((i) => !chosen.has(i));
  const room = Math.min(others.length, most - chosen.size);
  for (let n = 0; n < room; n++) chosen.add(others[Math.floor((n * others.length) / room)]!);
  return [...chosen].sort((a, b) => a - b);
}
