/**
 * Bitmaps of labels: each text with its shadow is drawn once and then copied in each frame, because shadows
 * cost far more than copies.
 */

/** Font and colour of a text. */
export interface LabelInk {
  font: string;
  colour: string;
}

/**
 * The shadow around a text: overlaid dark strokes that add up to a soft cloud without an edge. Widths and
 * margin in design pixels.
 */
const SHADOW = {
  ink: "rgba(10,14,28,0.17)",
  widths: [20, 16.5, 13.5, 11, 8.5, 6, 3.5],
  margin: 11,
};
/** Maximum number of bitmaps kept. */
const MAX_BITMAPS = 400;

/** Draw a text with its shadow, its middle line at `y`. `scale`: pixels per design pixel. */
export function writeLabel(
  context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D,
  text: string,
  [x, y]: readonly [number, number],
  { font, colour }: LabelInk,
  scale: number,
) {
  context.font = font;
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.lineJoin = "round";
  context.strokeStyle = SHADOW.ink;
  for (const width of SHADOW.widths) {
    context.lineWidth = width * scale;
    context.strokeText(text, x, y);
  }
  context.fillStyle = colour;
  context.fillText(text, x, y);
}

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
    const margin = Math.ceil(SHADOW.margin * scale * ratio);
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
      const middle = canvas.height / 2 / ratio;
      writeLabel(pen, text, [margin / ratio, middle], ink, scale);
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
