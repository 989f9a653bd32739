/**
 * Labels, the ring around the chosen token and the links to its neighbours, on a 2-D canvas above the lamps.
 * It is drawn in the same frame, so that labels move with their lamps.
 */

import { labelRect, placeLabels } from "./label-placement";
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
import { FONT_FAMILY, type DrawingContext } from "./drawing-context";
import type { OverlayModel } from "./overlay-model";

interface ShownLabel {
  label: MapLabel;
  dx: number;
  dy: number;
  alpha: number;
  wanted: boolean;
}

/** Colour of the dark edge of a label, which is drawn twice. */
const HALO = "rgba(10,14,28,0.66)";
/** Change of a label's opacity per millisecond while it fades in and out. */
const FADE_IN = 1 / 180;
const FADE_OUT = 1 / 100;

/** The 2-D canvas above the lamps. */
export class Overlay {
  /** The context that measures texts. */
  private readonly ruler: CanvasRenderingContext2D;
  private context: DrawingContext;
  private readonly widths = new Map<string, number>();
  private labels = new Map<string, ShownLabel>();
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

  /** Choose and place the labels again. */
  updateLabels(model: OverlayModel) {
    const { scale } = this;
    const maxLabels = Math.round(labelArea(model, scale) / 9_000);
    const candidates = labelCandidates(model, scale, (text, style) => this.measure(text, style));
    const placed = placeLabels(candidates, model.uncovered, maxLabels);
    for (const label of this.labels.values()) label.wanted = false;
    for (const { candidate, dx, dy } of placed) {
      const known = this.labels.get(candidate.key);
      this.labels.set(candidate.key, {
        label: candidate,
        dx,
        dy,
        alpha: known?.alpha ?? 0,
        wanted: true,
      });
    }
  }

  /** Draw the overlay. Return whether labels are still fading. `elapsed` in ms; Infinity skips the fading. */
  draw(model: OverlayModel, elapsed: number): boolean {
    const { context } = this;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, model.width, model.height);
    drawMarks(context, model, this.scale);
    let fading = false;
    for (const [key, label] of this.labels) {
      const target = label.wanted ? 1 : 0;
      const change = Math.min(1, elapsed * (label.wanted ? FADE_IN : FADE_OUT));
      label.alpha += Math.max(-change, Math.min(change, target - label.alpha));
      if (label.alpha <= 0 && !label.wanted) {
        this.labels.delete(key);
        continue;
      }
      if (label.alpha !== target) fading = true;
      this.write(label, model);
    }
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
  districtAt(model: OverlayModel, x: number, y: number): number | null {
    for (const { label, dx, dy, wanted } of this.labels.values()) {
      if (label.style !== "district" || !wanted) continue;
      const position = labelPosition(label, model);
      if (!position) continue;
      const box = labelRect({ ...label, x: position[0], y: position[1] }, dx, dy);
      if (x >= box.left && x <= box.right && y >= box.top && y <= box.bottom) return label.id;
    }
    return null;
  }

  /** Return the texts of the labels, for viewers who cannot see them. */
  labelTexts(): string[] {
    return [...this.labels.values()].filter(({ wanted }) => wanted).map(({ label }) => label.text);
  }

  clear() {
    this.labels.clear();
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  private write({ label, dx, dy, alpha }: ShownLabel, model: OverlayModel) {
    const { context } = this;
    const position = labelPosition(label, model);
    if (!position) return;
    const [x, y] = [position[0] + dx, position[1] + dy];
    this.setFont(label.style);
    context.textBaseline = "middle";
    context.textAlign = "left";
    context.globalAlpha = alpha;
    context.lineJoin = "round";
    // A dark edge, soft at its rim, keeps the text readable above the brightest lamps.
    context.strokeStyle = HALO;
    for (const width of [7, 4.5]) {
      context.lineWidth = width * this.scale;
      context.strokeText(label.text, x, y);
    }
    context.fillStyle = labelColour(label);
    context.fillText(label.text, x, y);
    context.globalAlpha = 1;
  }

  private setFont(style: LabelStyle) {
    const [weight, size] = LABEL_FONTS[style];
    this.context.font = `${weight} ${size * this.scale}px ${FONT_FAMILY}`;
    if ("letterSpacing" in this.context) {
      this.context.letterSpacing = style === "district" ? `${1.5 * this.scale}px` : "0px";
    }
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
