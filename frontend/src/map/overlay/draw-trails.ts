/** Trails in an exported picture: the strokes that Plotly draws on the screen, on a 2-D context. */

import type { OverlayModel } from "./overlay-model";
import { trailStrokes } from "./trails";
import { toPixel } from "../../model/plane/viewport";

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
