/**
 * Trails, labels, the ring around the chosen token and the links to its neighbours, on a 2-D canvas above the
 * lamps. It is drawn in the same frame, so that all of them move with their lamps.
 */

import { drawMarks } from "./marks";
import { drawTrails } from "./trails";
import {
  labelCandidates,
  isDistrict,
  LABEL_FONTS,
  labelArea,
  labelPosition,
  type MapLabel,
  type LabelStyle,
} from "./label-candidates";
import type { PixelRect } from "../../model/plane/viewport";
import { FONT_FAMILY } from "../../model/typeface";
import type { OverlayModel } from "./overlay-model";
import { INK } from "../palette";
import {
  labelRect,
  placeLabels,
  textsMeet,
  type LabelCandidate,
  type PlacedLabel,
} from "./label-placement";

/** A label in a frame. */
export interface ShownLabel<C extends LabelCandidate> extends PlacedLabel<C> {
  /** Opacity, 0 to 1; 0 while it waits for the place of a label that is still fading. */
  alpha: number;
  /** False while it fades out. */
  wanted: boolean;
}

/** Change of a label's opacity per millisecond while it fades in and out. */
const FADE_IN = 1 / 180;
const FADE_OUT = 1 / 100;
/** Maximum time by which one frame lets labels fade, in ms: the previous frame may be long ago. */
const MAX_FRAME = 80;

/** The labels of one map. */
export class ShownLabels<C extends LabelCandidate> {
  private candidates: C[] = [];
  private most = 0;
  private readonly shown = new Map<string, ShownLabel<C>>();

  /** Show these labels from now on, most important first, and at most `most` of them. */
  choose(candidates: Iterable<C>, most: number) {
    this.candidates = [...candidates];
    this.most = most;
  }

  /**
   * Advance to the next frame. Return whether labels are still fading.
   *
   * `positionOf` returns a label's position in the frame, null if it has none; `elapsed` is the time since
   * the last frame, in ms, or Infinity to skip the fading.
   */
  advance(
    positionOf: (label: C) => readonly [number, number] | null,
    within: PixelRect,
    elapsed: number,
  ): boolean {
    const { shown } = this;
    for (const [key, label] of shown) {
      const candidate = moved(label.candidate, positionOf);
      if (!candidate) shown.delete(key);
      else Object.assign(label, { candidate, box: labelRect(candidate, label.dx, label.dy) });
    }
    const visible = new Map([...shown].filter(([, { alpha }]) => alpha > 0));
    const here = this.candidates.flatMap((label) => moved(label, positionOf) ?? []);
    const placed = placeLabels(here, within, this.most, visible);
    for (const label of shown.values()) label.wanted = false;
    for (const one of placed) {
      const { key } = one.candidate;
      const alpha = shown.get(key)?.alpha ?? 0;
      shown.set(key, { ...one, alpha, wanted: true });
    }
    return this.fade(Math.min(elapsed, elapsed === Infinity ? 1e9 : MAX_FRAME));
  }

  /** Return the labels to draw. */
  get drawn(): ShownLabel<C>[] {
    return [...this.shown.values()].filter(({ alpha }) => alpha > 0);
  }

  /** Return the labels that stay. */
  get wanted(): ShownLabel<C>[] {
    return [...this.shown.values()].filter(({ wanted }) => wanted);
  }

  /** Return a label that is on the map and stays; undefined otherwise. */
  find(key: string): C | undefined {
    const label = this.shown.get(key);
    return label?.wanted ? label.candidate : undefined;
  }

  /** Remove all labels from the map at once. */
  removeAll() {
    this.candidates = [];
    this.shown.clear();
  }

  private fade(elapsed: number): boolean {
    const { shown } = this;
    const drawn = this.wanted.filter(({ alpha }) => alpha > 0);
    for (const [key, label] of shown) {
      if (label.wanted) continue;
      label.alpha -= elapsed * FADE_OUT;
      // Movement may bring it over another before it has faded.
      if (label.alpha <= 0 || drawn.some(({ box }) => textsMeet(box, label.box))) shown.delete(key);
      else drawn.push(label);
    }
    const fading = drawn.filter(({ wanted }) => !wanted);
    for (const label of shown.values()) {
      if (!label.wanted || label.alpha >= 1) continue;
      if (!fading.some(({ box }) => textsMeet(box, label.box)))
        label.alpha = Math.min(1, label.alpha + elapsed * FADE_IN);
    }
    return [...shown.values()].some(({ alpha, wanted }) => !wanted || alpha < 1);
  }
}

/** Return a label at its position in a frame; null if it has none. */
function moved<C extends LabelCandidate>(
  label: C,
  positionOf: (label: C) => readonly [number, number] | null,
): C | null {
  const at = positionOf(label);
  return at && { ...label, x: at[0], y: at[1] };
}

/** Font and colour of a text. */
interface LabelInk {
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
class LabelBitmaps {
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

/** Enlargement of labels and marks for the back of a room. */
const ENLARGED = 1.4;

/** Square design pixels per label of any kind. */
const LABEL_ROOM = 9_000;

/** The 2-D canvas above the lamps. */
export class Overlay {
  private readonly context: CanvasRenderingContext2D;
  private readonly widths = new Map<string, number>();
  private readonly labels = new ShownLabels<MapLabel>();
  private readonly bitmaps = new LabelBitmaps();
  private ratio = 1;
  private enlarged = false;
  private width = 0;
  private height = 0;

  constructor(readonly canvas: HTMLCanvasElement) {
    this.context = canvas.getContext("2d")!;
  }

  resize(width: number, height: number, ratio: number) {
    // Setting a canvas's size clears it, and new bitmaps of every text cost a frame; the covered parts change
    // more often than the size.
    if (width === this.width && height === this.height && ratio === this.ratio) return;
    this.width = width;
    this.height = height;
    this.ratio = ratio;
    this.forgetTexts();
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
  }

  /** Set whether labels and marks are enlarged for the back of a room; the labels must be chosen again. */
  enlarge(enlarged: boolean) {
    this.enlarged = enlarged;
    this.forgetTexts();
  }

  /** Choose the labels again. */
  updateLabels(model: OverlayModel) {
    const { scale, labels } = this;
    const measure = (text: string, style: LabelStyle) => this.measure(text, style);
    const candidates = labelCandidates(model, scale, measure, (key) => labels.find(key)?.style);
    labels.choose(candidates, Math.round(labelArea(model, scale) / LABEL_ROOM));
  }

  /** Draw the overlay. Return whether labels are still fading. `elapsed` in ms; Infinity skips the fading. */
  draw(model: OverlayModel, elapsed: number): boolean {
    const { context, labels } = this;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, model.width, model.height);
    drawTrails(context, model);
    drawMarks(context, model, this.scale);
    const positionOf = (label: MapLabel) => labelPosition(label, model);
    const fading = labels.advance(positionOf, model.uncovered, elapsed);
    for (const label of labels.drawn) this.write(label);
    return fading;
  }

  /** Return the district whose label is at a point of the picture. */
  districtAt(x: number, y: number): number | null {
    const pointed = this.labels.wanted.find(
      ({ candidate, box }) =>
        isDistrict(candidate) && x >= box.left && x <= box.right && y >= box.top && y <= box.bottom,
    );
    return pointed?.candidate.id ?? null;
  }

  /** Return the texts of the labels, for viewers who cannot see them. */
  labelTexts(): string[] {
    return this.labels.wanted.map(({ candidate }) => candidate.text);
  }

  /** Return the texts drawn last, each with its rectangle in CSS pixels. */
  textsDrawn(): (PixelRect & { text: string })[] {
    return this.labels.drawn.map(({ candidate: { text, x, y, width, height }, dx, dy }) => {
      const [left, top] = [x + dx, y + dy - height / 2];
      return { text, left, top, right: left + width, bottom: top + height };
    });
  }

  clear() {
    this.labels.removeAll();
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  private write({ candidate, dx, dy, alpha }: ShownLabel<MapLabel>) {
    const { context, scale } = this;
    const { text, style, colour, x, y } = candidate;
    const ink = { font: this.fontOf(style), colour };
    context.globalAlpha = alpha;
    this.bitmaps.write(context, text, [x + dx, y + dy], ink, candidate, scale, this.ratio);
    context.globalAlpha = 1;
  }

  /** Return the scale of the type, which grows with the screen. */
  private get scale(): number {
    return Math.max(1, Math.min(2, this.height / 1_000)) * (this.enlarged ? ENLARGED : 1);
  }

  private fontOf(style: LabelStyle): string {
    const [weight, size] = LABEL_FONTS[style];
    return `${weight} ${size * this.scale}px ${FONT_FAMILY}`;
  }

  private forgetTexts() {
    this.widths.clear();
    this.bitmaps.forgetAll();
  }

  private measure(text: string, style: LabelStyle): { width: number; height: number } {
    const key = `${style} ${text}`;
    let width = this.widths.get(key);
    if (width === undefined) {
      this.context.font = this.fontOf(style);
      width = this.context.measureText(text).width;
      if (this.widths.size > 20_000) this.widths.clear();
      this.widths.set(key, width);
    }
    return { width, height: 1.15 * LABEL_FONTS[style][1] * this.scale };
  }
}
