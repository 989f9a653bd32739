/**
 * Bitmaps of labels: each text with its shadow is drawn once and then copied from frame to frame, because shadows cost
 * far more than copies.
 */

/** How a text is written. */
export interface LabelInk {
  font: string;
  colour: string;
}

/**
 * The shadow around a text: strokes of the night, one on top of the other, that add up to a soft dark cloud without an
 * edge. Widths and margin in design pixels.
 */
const SHADOW = {
  ink: "rgba(10,14,28,0.17)",
  widths: [20, 16.5, 13.5, 11, 8.5, 6, 3.5],
  margin: 11,
};
/** Most bitmaps that are kept. */
const MOST = 400;

/** Write a text with its shadow, its middle line at `y`. `scale`: pixels for a design pixel. */
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
  // Without the graphics card: it would be asked for each label, and wait for each.
  private readonly pen = this.canvas.getContext("2d", { willReadFrequently: true })!;

  /** Drop all of them: the size of the type or of the pixels has changed. */
  forgetAll() {
    for (const bitmap of this.bitmaps.values()) bitmap.close();
    this.bitmaps.clear();
  }

  /**
   * Write a label, its left edge and middle line at a position in CSS pixels, on whole device pixels: between them the text
   * would be blurred. `size`: width and height of the text; `ratio`: device pixels for a CSS pixel.
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
      // A new size empties it and takes back the scale.
      canvas.width = Math.ceil(size.width * ratio) + 2 * margin;
      canvas.height = Math.ceil(size.height * ratio) + 2 * margin;
      pen.scale(ratio, ratio);
      const middle = canvas.height / 2 / ratio;
      writeLabel(pen, text, [margin / ratio, middle], ink, scale);
      // A canvas that is drawn from is finished anew each time, even if nothing was written on it since.
      bitmap = canvas.transferToImageBitmap();
    }
    // The one used last is forgotten last.
    this.bitmaps.set(key, bitmap);
    if (this.bitmaps.size > MOST) {
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
