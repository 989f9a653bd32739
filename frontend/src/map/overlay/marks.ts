/**
 * Marks on the map. Each kind has its own shape, so that it can be told from the others whatever the lamps'
 * colours.
 */

import { drawLinks } from "./links";
import { INK } from "../palette";
import type { DrawingContext } from "./drawing-context";
import { toPixel, type OverlayModel } from "./overlay-model";

/** Draw all marks, enlarged by `scale`. */
export function drawMarks(pen: DrawingContext, scenery: OverlayModel, scale: number) {
  drawDoubtful(pen, scenery, scale);
  drawAmong(pen, scenery, scale);
  drawGathered(pen, scenery, scale);
  drawChosen(pen, scenery);
}

/** Draw a cross on each token whose position is not trustworthy. */
function drawDoubtful(pen: DrawingContext, scenery: OverlayModel, scale: number) {
  const arm = 3.5 * scale;
  const cross = (x: number, y: number) => {
    pen.moveTo(x - arm, y - arm);
    pen.lineTo(x + arm, y + arm);
    pen.moveTo(x - arm, y + arm);
    pen.lineTo(x + arm, y - arm);
  };
  if (trace(pen, scenery, scenery.doubtful, arm, cross)) stroke(pen, INK.doubt, 1.4 * scale, 0.85);
}

/** Draw a ring around each token of the focused district. */
function drawAmong(pen: DrawingContext, scenery: OverlayModel, scale: number) {
  const radius = 6 * scale;
  const ring = (x: number, y: number) => {
    pen.moveTo(x + radius, y);
    pen.arc(x, y, radius, 0, 2 * Math.PI);
  };
  if (trace(pen, scenery, scenery.ringed, radius, ring)) stroke(pen, INK.lamp, 1.2 * scale, 0.8);
}

/** Draw a diamond around each selected token. */
function drawGathered(pen: DrawingContext, scenery: OverlayModel, scale: number) {
  // Many diamonds are drawn smaller, to leave the lamps visible.
  const many = scenery.selected.length;
  const arm = (many > 250 ? 3.6 : many > 60 ? 5 : 7.5) * scale;
  const line = (many > 60 ? 1 : 1.4) * scale;
  const diamond = (x: number, y: number) => {
    pen.moveTo(x, y - arm);
    pen.lineTo(x + arm, y);
    pen.lineTo(x, y + arm);
    pen.lineTo(x - arm, y);
    pen.closePath();
  };
  if (!trace(pen, scenery, scenery.selected, arm, diamond)) return;
  // A dark edge keeps them visible on bright land.
  stroke(pen, INK.night, line + 1.6 * scale, 0.5);
  stroke(pen, INK.text, line, 0.95);
}

/**
 * Trace a shape around each of these tokens that is visible, `reach` pixels from its centre, as one path.
 * Return whether there are any tokens.
 */
function trace(
  pen: DrawingContext,
  scenery: OverlayModel,
  ids: readonly number[],
  reach: number,
  shape: (x: number, y: number) => void,
): boolean {
  if (!ids.length) return false;
  const { width, height } = scenery;
  pen.beginPath();
  for (const id of ids) {
    const [x, y] = toPixel(scenery, scenery.at(id));
    if (x >= -reach && y >= -reach && x <= width + reach && y <= height + reach) shape(x, y);
  }
  return true;
}

function stroke(pen: DrawingContext, ink: string, width: number, alpha: number) {
  pen.strokeStyle = ink;
  pen.lineWidth = width;
  pen.globalAlpha = alpha;
  pen.stroke();
  pen.globalAlpha = 1;
}

/** Draw the links to the chosen token's neighbours, and the ring around it. */
function drawChosen(pen: DrawingContext, scenery: OverlayModel) {
  if (scenery.chosen === null) return;
  const [x, y] = toPixel(scenery, scenery.at(scenery.chosen));
  drawLinks(pen, [x, y], scenery.links, (id) => toPixel(scenery, scenery.at(id)));
  pen.beginPath();
  pen.arc(x, y, 11, 0, 2 * Math.PI);
  stroke(pen, INK.lamp, 2, 1);
}
