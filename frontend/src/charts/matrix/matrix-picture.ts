/**
 * The picture of a matrix: a coloured cell per number, lines between groups of rows, and lamps beside rows.
 */

import { cssColour } from "../../model/theme";
import { colourPixels, poolMatrix, type MatrixCells, type Pooling } from "./raster";
import type { RowSpan } from "./row-labels";

/** The content of the picture. */
interface MatrixPicture {
  cells: MatrixCells;
  groups: RowSpan[];
  /** Token ids whose rows are marked at the side; null for none. */
  lit: Uint32Array | null;
  pooling: Pooling;
  /** Absolute value from which the colour no longer changes. */
  scale: number;
  /** First and last row in view. */
  view: readonly [number, number];
  /** Row by token id. */
  rowOf: Uint32Array;
}

/** Minimum distance between two lines, and of a line from the end of its group, in CSS pixels. */
const LINE_SPACING = 7;
const MIN_GROUP = 3;

/**
 * Draw the picture, `size` in CSS pixels, with a strip for the lamps at its right. Return the number of rows
 * per pixel.
 */
export function drawMatrix(
  canvas: HTMLCanvasElement,
  size: { width: number; height: number; strip: number },
  { cells, groups, lit, pooling, scale, view, rowOf }: MatrixPicture,
): number {
  const context = canvas.getContext("2d");
  if (!context) return 1;
  const [top, bottom] = view;
  const pixel = devicePixelRatio || 1;
  canvas.width = Math.round((size.width + size.strip) * pixel);
  canvas.height = Math.round(size.height * pixel);
  const [wide, high] = [Math.round(size.width * pixel), canvas.height];
  const y = (row: number) => ((row - top) / Math.max(1e-9, bottom - top)) * high;
  const [first, last] = [Math.floor(top), Math.min(cells.order.length, Math.ceil(bottom))];
  const pooled = poolMatrix(cells, first, last, wide, high, pooling);
  if (pooled.width && pooled.height) {
    const small = new OffscreenCanvas(pooled.width, pooled.height);
    const bytes = colourPixels(pooled, scale);
    small.getContext("2d")!.putImageData(new ImageData(bytes, pooled.width), 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, y(first), wide, y(last) - y(first));
  }
  // Draw lines only between groups tall enough to tell apart.
  context.fillStyle = "rgba(215,224,245,0.8)";
  let above = -Infinity;
  for (const { first: from, last: to } of groups) {
    const line = Math.round(y(from));
    const apart = line - above >= LINE_SPACING * pixel && y(to) - line >= MIN_GROUP * pixel;
    if (line > 0 && line < high && apart) {
      context.fillRect(0, line, wide, 1);
      above = line;
    }
  }
  // Draw a small lamp beside each row of the batch: colour alone must not mark it.
  context.fillStyle = cssColour("lamp");
  const tall = Math.max(2 * pixel, y(1) - y(0) - pixel);
  for (const id of lit ?? []) {
    const row = rowOf[id];
    if (row === undefined || row + 1 < top || row > bottom) continue;
    const middle = (y(row) + y(row + 1) - tall) / 2;
    context.fillRect(wide + 3 * pixel, middle, (size.strip - 4) * pixel, tall);
  }
  return pooled.height ? (last - first) / pooled.height : 1;
}
