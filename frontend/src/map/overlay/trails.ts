/** Trails as strokes on a 2-D context. Older parts are fainter, and the two ends differ in shape. */

import type { DrawnTrail } from "../../model/plane/trail";
import { toPixel } from "../../model/plane/viewport";
import { INK, tintOf } from "../palette";
import type { OverlayModel } from "./overlay-model";

/** Opacity of the parts of a trail, oldest first. */
const AGES = [0.22, 0.38, 0.58, 0.85];

/** Lines of one style in sequence; null ends a line. */
interface TrailStroke {
  x: (number | null)[];
  y: (number | null)[];
  color: string;
  width: number;
  opacity: number;
  /** Set if these are markers of this size at each position instead of lines. */
  sign?: { symbol: "square-open" | "triangle-up"; size: number };
}

const OTHERS = tintOf(1);

/** Return all trails as a few strokes, independent of the number of trails. */
export function trailStrokes(trails: DrawnTrail[]): TrailStroke[] {
  const drawn = trails.filter(({ xs }) => xs.length > 1);
  return [false, true].flatMap((own) => {
    const some = drawn.filter((trail) => trail.own === own);
    return some.length ? strokes(some, own ? INK.lamp : OTHERS) : [];
  });
}

/** Draw the trails. */
export function drawTrails(context: CanvasRenderingContext2D, model: OverlayModel) {
  const scale = Math.max(1, Math.min(2, model.height / 1_000));
  context.lineJoin = "round";
  for (const strokes of trailStrokes(model.trails)) {
    context.strokeStyle = context.fillStyle = strokes.color;
    context.globalAlpha = strokes.opacity;
    context.lineWidth = strokes.width * scale;
    context.beginPath();
    let started = false;
    strokes.x.forEach((x, i) => {
      const y = strokes.y[i] ?? null;
      if (x === null || y === null) return void (started = false);
      const [px, py] = toPixel(model, [x, y]);
      const arm = ((strokes.sign?.size ?? 0) * scale) / 2;
      if (!strokes.sign) {
        if (started) context.lineTo(px, py);
        else context.moveTo(px, py);
      } else if (strokes.sign.symbol === "square-open") {
        context.rect(px - arm, py - arm, 2 * arm, 2 * arm);
      } else {
        context.moveTo(px, py - 1.15 * arm);
        context.lineTo(px + arm, py + 0.6 * arm);
        context.lineTo(px - arm, py + 0.6 * arm);
        context.closePath();
      }
      started = true;
    });
    if (strokes.sign?.symbol === "triangle-up") context.fill();
    else context.stroke();
  }
  context.globalAlpha = 1;
}

function strokes(trails: DrawnTrail[], color: string): TrailStroke[] {
  const lines = AGES.map((opacity, age): TrailStroke => {
    const x: (number | null)[] = [];
    const y: (number | null)[] = [];
    for (const { xs, ys } of trails) {
      // Consecutive parts share a point, so that they connect.
      const last = xs.length - 1;
      const from = Math.floor((age * last) / AGES.length);
      const to = Math.floor(((age + 1) * last) / AGES.length);
      if (to === from) continue;
      x.push(...xs.slice(from, to + 1), null);
      y.push(...ys.slice(from, to + 1), null);
    }
    return { x, y, color, width: 1.1 + 0.25 * age, opacity };
  });
  const ends = (at: 0 | -1) => ({
    x: trails.map(({ xs }) => xs.at(at)!),
    y: trails.map(({ ys }) => ys.at(at)!),
    color,
  });
  return [
    ...lines,
    { ...ends(0), width: 1.4, opacity: 1, sign: { symbol: "square-open", size: 7 } },
    { ...ends(-1), width: 0, opacity: 0.95, sign: { symbol: "triangle-up", size: 9 } },
  ];
}
