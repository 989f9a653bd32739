/**
 * Labels, the ring around the chosen token and the links to its neighbours, on a 2-D canvas above the lamps.
 * It is drawn in the same frame, so that labels move with their lamps.
 */

import { drawMarks } from "./marks";
import {
  labelCandidates,
  LABEL_FONTS,
  labelColour,
  labelArea,
  labelPosition,
  type MapLabel,
  type LabelStyle,
} from "./label-candidates";
import type { DrawingContext } from "./drawing-context";
import type { PixelRect } from "../../model/viewport";
import { FONT_FAMILY } from "../../model/typeface";
import type { OverlayModel } from "./overlay-model";
import { ShownLabels, type ShownLabel } from "./shown-labels";

/** Colour of the dark edge of a label, which is drawn twice. */
const HALO = "rgba(10,14,28,0.66)";

/** The 2-D canvas above the lamps. */
export class Overlay {
  /** The context that measures texts. */
  private readonly ruler: CanvasRenderingContext2D;
  private context: DrawingContext;
  private readonly widths = new Map<string, number>();
  private readonly labels = new ShownLabels<MapLabel>();
  private ratio = 1;
  /** Scale of the type, which grows with the screen. */
  private scale = 1;

  constructor(readonly canvas: HTMLCanvasElement) {
    this.context = this.ruler = canvas.getContext("2d")!;
  }

  resize(width: number, height: number, ratio: number) {
    this.ratio = ratio;
    this.scale = Math.max(1, Math.min(2, height / 1_000));
    this.widths.clear();
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
  }

  /** Choose the labels again. */
  updateLabels(model: OverlayModel) {
    const { scale, labels } = this;
    const measure = (text: string, style: LabelStyle) => this.measure(text, style);
    const candidates = labelCandidates(model, scale, measure, (key) => labels.isShown(key));
    labels.choose(candidates, Math.round(labelArea(model, scale) / 9_000));
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

  /** Draw everything with another context, without fading. */
  drawWith(context: DrawingContext, model: OverlayModel) {
    const own = this.context;
    this.context = context;
    this.draw(model, Infinity);
    this.context = own;
  }

  /** Return the district whose label is at a point of the picture. */
  districtAt(x: number, y: number): number | null {
    const pointed = this.labels.wanted.find(
      ({ candidate, box }) =>
        candidate.style === "district" &&
        x >= box.left &&
        x <= box.right &&
        y >= box.top &&
        y <= box.bottom,
    );
    return pointed?.candidate.id ?? null;
  }

  /** Return the texts of the labels, for viewers who cannot see them. */
  labelTexts(): string[] {
    return this.labels.wanted.map(({ candidate }) => candidate.text);
  }

  /** Return the texts drawn last, each with its rectangle, in CSS pixels. */
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
    const { context } = this;
    const { text, style } = candidate;
    const [x, y] = [candidate.x + dx, candidate.y + dy];
    this.setFont(style);
    context.textBaseline = "middle";
    context.textAlign = "left";
    context.globalAlpha = alpha;
    context.lineJoin = "round";
    // A dark edge, soft at its rim, keeps the text readable above the brightest lamps.
    context.strokeStyle = HALO;
    for (const width of [7, 4.5]) {
      context.lineWidth = width * this.scale;
      context.strokeText(text, x, y);
    }
    context.fillStyle = labelColour(candidate);
    context.fillText(text, x, y);
    context.globalAlpha = 1;
  }

  private setFont(style: LabelStyle) {
    const [weight, size] = LABEL_FONTS[style];
    this.context.font = `${weight} ${size * this.scale}px ${FONT_FAMILY}`;
  }

  private measure(text: string, style: LabelStyle): { width: number; height: number } {
    const key = `${style} ${text}`;
    let width = this.widths.get(key);
    if (width === undefined) {
      this.setFont(style);
      width = this.ruler.measureText(text).width;
      if (this.widths.size > 20_000) this.widths.clear();
      this.widths.set(key, width);
    }
    return { width, height: 1.15 * LABEL_FONTS[style][1] * this.scale };
  }
}
