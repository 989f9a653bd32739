/** Trails in an exported picture: the strokes that Plotly draws on the screen, drawn by a drawing context. */

import type { OverlayModel } from "./overlay";
import type { DrawingContext } from "./drawing-context";
import { trailStrokes } from "./trails";

/** Draw the trails. */
export function drawTrails(pen: DrawingContext, { trails, view, width, height }: OverlayModel) {
  const scale = Math.max(1, Math.min(2, height / 1_000));
  pen.lineJoin = "round";
  for (const strokes of trailStrokes(trails)) {
    pen.strokeStyle = pen.fillStyle = strokes.color;
    pen.globalAlpha = strokes.opacity;
    pen.lineWidth = strokes.width * scale;
    pen.beginPath();
    let begun = false;
    strokes.x.forEach((x, i) => {
      const y = strokes.y[i] ?? null;
      if (x === null || y === null) return void (begun = false);
      const px = ((x - view.x0) / (view.x1 - view.x0)) * width;
      const py = (1 - (y - view.y0) / (view.y1 - view.y0)) * height;
      const arm = ((strokes.sign?.size ?? 0) * scale) / 2;
      if (!strokes.sign) {
        if (begun) pen.lineTo(px, py);
        else pen.moveTo(px, py);
      } else if (strokes.sign.symbol === "square-open") {
        pen.rect(px - arm, py - arm, 2 * arm, 2 * arm);
      } else {
        pen.moveTo(px, py - 1.15 * arm);
        pen.lineTo(px + arm, py + 0.6 * arm);
        pen.lineTo(px - arm, py + 0.6 * arm);
        pen.closePath();
      }
      begun = true;
    });
    if (strokes.sign?.symbol === "triangle-up") pen.fill();
    else pen.stroke();
  }
  pen.globalAlpha = 1;
}
