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

export type { MapMarks, OverlayModel } from "./overlay-model";

interface Shown {
  name: MapLabel;
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
  private pen: DrawingContext;
  private readonly widths = new Map<string, number>();
  private names = new Map<string, Shown>();
  private ratio = 1;
  /** Scale of the type, which grows with the screen. */
  private scale = 1;

  constructor(readonly canvas: HTMLCanvasElement) {
    this.pen = this.ruler = canvas.getContext("2d")!;
  }

  resize(width: number, height: number, ratio: number) {
    this.ratio = ratio;
    this.scale = Math.max(1, Math.min(2, height / 1_000));
    this.widths.clear();
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
  }

  /** Choose and place the labels again. */
  updateLabels(scenery: OverlayModel) {
    const { scale } = this;
    const most = Math.round(labelArea(scenery, scale) / 9_000);
    const names = labelCandidates(scenery, scale, (text, style) => this.measure(text, style));
    const placed = placeLabels(names, scenery.free, most);
    for (const one of this.names.values()) one.wanted = false;
    for (const { candidate: of, dx, dy } of placed) {
      const known = this.names.get(of.key);
      this.names.set(of.key, { name: of, dx, dy, alpha: known?.alpha ?? 0, wanted: true });
    }
  }

  /** Draw the overlay. Return whether labels are still fading. `elapsed` in ms; Infinity skips the fading. */
  draw(scenery: OverlayModel, elapsed: number): boolean {
    const { pen } = this;
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.clearRect(0, 0, scenery.width, scenery.height);
    drawMarks(pen, scenery, this.scale);
    let fading = false;
    for (const [key, one] of this.names) {
      const target = one.wanted ? 1 : 0;
      const change = Math.min(1, elapsed * (one.wanted ? FADE_IN : FADE_OUT));
      one.alpha += Math.max(-change, Math.min(change, target - one.alpha));
      if (one.alpha <= 0 && !one.wanted) {
        this.names.delete(key);
        continue;
      }
      if (one.alpha !== target) fading = true;
      this.write(one, scenery);
    }
    return fading;
  }

  /** Draw everything with another context, without fading. */
  drawWith(pen: DrawingContext, scenery: OverlayModel) {
    const own = this.pen;
    this.pen = pen;
    this.draw(scenery, Infinity);
    this.pen = own;
  }

  /** Return the district whose label is at a point of the picture. */
  districtAt(scenery: OverlayModel, x: number, y: number): number | null {
    for (const { name, dx, dy, wanted } of this.names.values()) {
      if (name.style !== "district" || !wanted) continue;
      const at = labelPosition(name, scenery);
      if (!at) continue;
      const box = labelRect({ ...name, x: at[0], y: at[1] }, dx, dy);
      if (x >= box.left && x <= box.right && y >= box.top && y <= box.bottom) return name.id;
    }
    return null;
  }

  /** Return the texts of the labels, for viewers who cannot see them. */
  labelTexts(): string[] {
    return [...this.names.values()].filter(({ wanted }) => wanted).map(({ name }) => name.text);
  }

  clear() {
    this.names.clear();
    this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  private write({ name, dx, dy, alpha }: Shown, scenery: OverlayModel) {
    const { pen } = this;
    const at = labelPosition(name, scenery);
    if (!at) return;
    const [x, y] = [at[0] + dx, at[1] + dy];
    this.setFont(name.style);
    pen.textBaseline = "middle";
    pen.textAlign = "left";
    pen.globalAlpha = alpha;
    pen.lineJoin = "round";
    // A dark edge, soft at its rim, keeps the text readable above the brightest lamps.
    pen.strokeStyle = HALO;
    for (const width of [7, 4.5]) {
      pen.lineWidth = width * this.scale;
      pen.strokeText(name.text, x, y);
    }
    pen.fillStyle = labelColour(name);
    pen.fillText(name.text, x, y);
    pen.globalAlpha = 1;
  }

  private setFont(style: LabelStyle) {
    const [weight, size] = LABEL_FONTS[style];
    this.pen.font = `${weight} ${size * this.scale}px ${FONT_FAMILY}`;
    if ("letterSpacing" in this.pen) {
      this.pen.letterSpacing = style === "district" ? `${1.5 * this.scale}px` : "0px";
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
