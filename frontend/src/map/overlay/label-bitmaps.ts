/**
 * Bitmaps of labels: each text with its casing is drawn once and then copied in each frame, because strokes
 * cost far more than copies.
 */

import { INK } from "../palette";

/** Font and colour of a text. */
export interface LabelInk {
  font: string;
  colour: string;
}

/**
 * Strokes around a text, in the land's colour: a thin casing, and two wide ones that together dim the lamps
 * beneath by about 30 %. Widths and margin in design pixels.
 */
const CASING = [
  { width: 14, alpha: 0.15 },
  { width: 8, alpha: 0.2 },
  { width: 3.2, alpha: 1 },
];
const MARGIN = 8;
/** Maximum number of bitmaps kept. */
const MAX_BITMAPS = 600;

/** The bitmaps of one map's labels. */
export class LabelBitmaps {
  private readonly bitmaps = new Map<string, ImageBitmap>();
  private readonly canvas = new OffscreenCanvas(1, 1);
  // In software: the GPU would be read back for each label.
  private readonly pen = this.canvas.getContext("2d", { willReadFrequently: true })!;

  /** Drop all bitmaps: the size of the type or of the pixels has changed. */
  forgetAll() {
    for (const bitmap of this.bitmaps.values()) bitmap.close();
    this.bitmaps.clear();
  }

  /**
   * Draw a label, its left edge and middle line at a position in CSS pixels, snapped to device pixels: in
   * between, the text would be blurred. `size`: width and height of the text; `ratio`: device pixels per CSS
   * pixel.
   */
  write(
    context: CanvasRenderingContext2D,
    text: string,
    [x, y]: readonly [number, number],
    ink: LabelInk,
    size: { width: number; height: number },
    scale: number,
    ratio: number,
  ) {
    const margin = Math.ceil(MARGIN * scale * ratio);
    // The width too: a label that fades while the type grows was measured in the smaller type.
    const key = `${ink.font} ${ink.colour} ${size.width} ${text}`;
    let bitmap = this.bitmaps.get(key);
    if (bitmap) this.bitmaps.delete(key);
    else {
      const { canvas, pen } = this;
      // A new size clears the canvas and resets its scale.
      canvas.width = Math.ceil(size.width * ratio) + 2 * margin;
      canvas.height = Math.ceil(size.height * ratio) + 2 * margin;
      pen.scale(ratio, ratio);
      writeText(pen, text, [margin / ratio, canvas.height / 2 / ratio], ink, scale);
      // Copying from a canvas finishes it each time, even if nothing was drawn since; a bitmap does not.
      bitmap = canvas.transferToImageBitmap();
    }
    // The most recently used one is dropped last.
    this.bitmaps.set(key, bitmap);
    if (this.bitmaps.size > MAX_BITMAPS) {
      const [oldest, unused] = this.bitmaps.entries().next().value!;
      unused.close();
      this.bitmaps.delete(oldest);
    }
    context.drawImage(
      bitmap,
      (Math.round(x * ratio) - margin) / ratio,
      Math.round(y * ratio - bitmap.height / 2) / ratio,
      bitmap.width / ratio,
      bitmap.height / ratio,
    );
  }
}

/** Write a text with its casing, its middle line at `y`. `scale`: pixels per design pixel. */
function writeText(
  pen: OffscreenCanvasRenderingContext2D,
  text: string,
  [x, y]: readonly [number, number],
  { font, colour }: LabelInk,
  scale: number,
) {
  pen.font = font;
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  pen.lineJoin = "round";
  pen.strokeStyle = INK.land;
  for (const { width, alpha } of CASING) {
    pen.globalAlpha = alpha;
    pen.lineWidth = width * scale;
    pen.strokeText(text, x, y);
  }
  pen.fillStyle = colour;
  pen.fillText(text, x, y);
}
