/** The land below the lamps: a blurred grid of token density. Pure. */

import type { MapRect } from "../../model/plane/viewport";

/** A grid of heights over the map. */
export interface DensityGrid {
  /** Cells per side. */
  size: number;
  /** Heights row by row from (x0, y0); 0 is the sea, about 1 the highest hill. */
  heights: Float32Array;
  box: MapRect;
}

const SIZE = 176;
/** How far the land extends beyond the outermost tokens, as a fraction of the map. */
const MARGIN = 0.26;
/** Two blur widths, as fractions of the side: for peaks, and for the region around them. */
const PEAK_WIDTH = 0.0135;
const REGION_WIDTH = 0.036;
/** Sums below this are rounding errors: sea. */
const NOTHING = 1e-6;

/** Return the density grid of the tokens at `xy` (x, y by token id); `around` is the span of the map. */
export function densityOf(xy: Float32Array, around: MapRect, size = SIZE): DensityGrid {
  const [w, h] = [around.x1 - around.x0, around.y1 - around.y0];
  const box = {
    x0: around.x0 - w * MARGIN,
    x1: around.x1 + w * MARGIN,
    y0: around.y0 - h * MARGIN,
    y1: around.y1 + h * MARGIN,
  };
  const counts = countTokens(xy, box, size);
  const peaks = blur(counts, size, PEAK_WIDTH * size);
  const region = blur(counts, size, REGION_WIDTH * size);
  const heights = new Float32Array(size * size);
  for (let i = 0; i < heights.length; i++) heights[i] = 0.4 * peaks[i]! + 0.6 * region[i]!;
  const top = quantile(heights, 0.995);
  // Square root, so that a small group shows beside a large one.
  for (let i = 0; i < heights.length; i++) {
    heights[i] = Math.min(1.25, Math.sqrt(heights[i]! / top));
  }
  clearEdges(heights, size);
  return { size, heights, box };
}

/** Count the tokens by cell, each divided among the four cells around it. */
function countTokens(xy: Float32Array, box: MapRect, size: number): Float32Array {
  const counts = new Float32Array(size * size);
  const sx = size / (box.x1 - box.x0);
  const sy = size / (box.y1 - box.y0);
  for (let i = 0; i < xy.length; i += 2) {
    const x = (xy[i]! - box.x0) * sx - 0.5;
    const y = (xy[i + 1]! - box.y0) * sy - 0.5;
    const cx = Math.floor(x);
    const cy = Math.floor(y);
    if (cx < 0 || cy < 0 || cx >= size - 1 || cy >= size - 1) continue;
    const [fx, fy] = [x - cx, y - cy];
    const at = cy * size + cx;
    counts[at]! += (1 - fx) * (1 - fy);
    counts[at + 1]! += fx * (1 - fy);
    counts[at + size]! += (1 - fx) * fy;
    counts[at + size + 1]! += fx * fy;
  }
  return counts;
}

/** Blur a field. Repeated running means approximate a Gaussian at a cost independent of its width. */
function blur(field: Float32Array, size: number, sigma: number): Float32Array {
  const radius = Math.round((Math.sqrt(4 * sigma * sigma + 1) - 1) / 2);
  let from = field;
  for (let pass = 0; pass < 6; pass++) {
    from =
      pass % 2
        ? runningMeans(from, size, radius, size, 1)
        : runningMeans(from, size, radius, 1, size);
  }
  return from;
}

/** Return running means along each line. Neighbours in a line are `along` apart, lines `across`. */
function runningMeans(
  from: Float32Array,
  size: number,
  radius: number,
  along: number,
  across: number,
) {
  const to = new Float32Array(from.length);
  for (let line = 0; line < size; line++) {
    const start = line * across;
    let sum = 0;
    for (let i = -radius; i < size; i++) {
      if (i + radius < size) sum += from[start + (i + radius) * along]!;
      if (i > radius) sum -= from[start + (i - radius - 1) * along]!;
      if (i >= 0) to[start + i * along] = sum > NOTHING ? sum / (2 * radius + 1) : 0;
    }
  }
  return to;
}

/**
 * Return a quantile of the positive values, from a sample: sorting all of them would take longer than the
 * blur.
 */
function quantile(values: Float32Array, part: number): number {
  const some = values.filter((value, i) => i % 5 === 0 && value > 0).sort();
  return some[Math.floor(part * (some.length - 1))] || 1;
}

/** Set the outermost cells to sea, because there is sea beyond the grid. */
function clearEdges(heights: Float32Array, size: number) {
  for (let i = 0; i < size; i++) {
    for (const index of [i, (size - 1) * size + i, i * size, i * size + size - 1])
      heights[index] = 0;
  }
}
