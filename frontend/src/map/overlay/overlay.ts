/**
 * Labels, the ring around the chosen token and the links to its neighbours, on a 2-D canvas above the lamps.
 * It is drawn in the same frame, so that labels move with their lamps.
 */

import { drawMarks } from "./marks";
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
import { LabelBitmaps } from "./label-bitmaps";
import { ShownLabels, type ShownLabel } from "./shown-labels";

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
