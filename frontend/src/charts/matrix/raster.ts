/**
 * A matrix as pixels: rows in a given order, pooled if they outnumber the pixels, and values as colours.
 *
 * Pure. NaN stays NaN until it gets a colour of its own.
 */

export type Pooling = "mean" | "largest";

/**
 * A matrix whose rows are in the order of `order`; `minus`, if given, is subtracted from it. Both hold `dim`
 * numbers per token id.
 */
export interface MatrixCells {
  values: Float32Array;
  minus: Float32Array | null;
  dim: number;
  /** Token id by row. */
  order: Uint32Array;
}

interface PooledMatrix {
  /** Values row by row, `height` x `width`. */
  values: Float32Array;
  width: number;
  height: number;
}

export function valueAt(
  { values, minus, dim, order }: MatrixCells,
  row: number,
  column: number,
): number {
  const offset = order[row]! * dim + column;
  return minus ? values[offset]! - minus[offset]! : values[offset]!;
}

/**
 * Pool the rows `first` to `last` (exclusive) into at most `height` rows of at most `width` pixels. A pixel
 * that covers several numbers gets their mean, or the one farthest from 0.
 */
export function poolMatrix(
  cells: MatrixCells,
  first: number,
  last: number,
  width: number,
  height: number,
  pooling: Pooling,
): PooledMatrix {
  const { values, minus, dim, order } = cells;
  const rows = Math.max(0, last - first);
  const [w, h] = [Math.min(dim, width), Math.min(rows, height)];
  const out = new Float32Array(w * h);
  const column = Uint32Array.from({ length: dim }, (_, x) => Math.floor((x * w) / dim));
  const sum = new Float64Array(w);
  const count = new Uint32Array(w);
  for (let y = 0; y < h; y++) {
    sum.fill(0);
    count.fill(0);
    const to = first + Math.floor(((y + 1) * rows) / h);
    for (let row = first + Math.floor((y * rows) / h); row < to; row++) {
      const offset = order[row]! * dim;
      for (let x = 0; x < dim; x++) {
        const value = minus ? values[offset + x]! - minus[offset + x]! : values[offset + x]!;
        const pixel = column[x]!;
        if (pooling === "mean") sum[pixel]! += value;
        // NaN wins, so that its neighbours do not hide it.
        else if (!(Math.abs(value) <= Math.abs(sum[pixel]!)) && !Number.isNaN(sum[pixel]))
          sum[pixel] = value;
        count[pixel]! += 1;
      }
    }
    for (let x = 0; x < w; x++) out[y * w + x] = pooling === "mean" ? sum[x]! / count[x]! : sum[x]!;
  }
  return { values: out, width: w, height: h };
}

const SAMPLE_SIZE = 60_000;

/**
 * Return the end of the colour scale, a positive number of two digits: about 1 value in 100 is farther from
 * 0.
 */
export function colourScaleEnd(cells: MatrixCells): number {
  const total = cells.order.length * cells.dim;
  const stride = Math.max(1, Math.floor(total / SAMPLE_SIZE));
  const sizes: number[] = [];
  for (let index = 0; index < total; index += stride) {
    const size = Math.abs(valueAt(cells, Math.floor(index / cells.dim), index % cells.dim));
    if (Number.isFinite(size)) sizes.push(size);
  }
  sizes.sort((a, b) => a - b);
  // A difference may be 0 nearly everywhere; then the largest value is the end.
  const high = sizes[Math.floor(0.99 * (sizes.length - 1))] || sizes.at(-1) || 0;
  return high > 0 ? Number(high.toPrecision(2)) : 1;
}

/** Blue below 0, amber above, night at 0; distinguishable with every kind of colour blindness. */
const RAMP_STOPS = ["#b3dcff", "#5a9fe8", "#2b5ea8", "#141c33", "#96561c", "#dc9238", "#ffe0a8"];
const RAMP_COLOURS = 255;
const NAN_COLOUR = "#7d6f8a";

const RAMP = buildRamp(RAMP_STOPS);

function buildRamp(stops: readonly string[]): Uint8ClampedArray {
  const parts = stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  const bytes = new Uint8ClampedArray(3 * RAMP_COLOURS);
  for (let index = 0; index < RAMP_COLOURS; index++) {
    const position = (index / (RAMP_COLOURS - 1)) * (parts.length - 1);
    const low = Math.min(parts.length - 2, Math.floor(position));
    for (let i = 0; i < 3; i++) {
      const [a, b] = [parts[low]![i]!, parts[low + 1]![i]!];
      bytes[3 * index + i] = a + (b - a) * (position - low);
    }
  }
  return bytes;
}

/** The ramp as a CSS gradient, from lowest to highest. */
export const RAMP_GRADIENT = `linear-gradient(to right, ${RAMP_STOPS.join(", ")})`;

/** Return the colours of the values, four bytes a pixel; values beyond `scale` have the end colour. */
export function colourPixels(
  { values }: PooledMatrix,
  scale: number,
): Uint8ClampedArray<ArrayBuffer> {
  const bytes = new Uint8ClampedArray(4 * values.length);
  const none = [1, 3, 5].map((at) => parseInt(NAN_COLOUR.slice(at, at + 2), 16));
  values.forEach((value, i) => {
    const known = !Number.isNaN(value);
    const part = Math.max(0, Math.min(1, (value / scale + 1) / 2));
    const index = known ? Math.round(part * (RAMP_COLOURS - 1)) : 0;
    for (let j = 0; j < 3; j++) bytes[4 * i + j] = known ? RAMP[3 * index + j]! : none[j]!;
    bytes[4 * i + 3] = 255;
  });
  return bytes;
}
