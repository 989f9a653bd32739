/** The marks on the map: each kind of them a shape of its own, whatever the colours of the lamps are. */

import { drawLinks } from "./links";
import { INK } from "./palette";
import type { Pen } from "./pen";
import { pixel, type Scenery } from "./scenery";

/** Draw all of them; `scale`: how much larger than designed. */
export function drawMarks(pen: Pen, scenery: Scenery, scale: number) {
  drawDoubtful(pen, scenery, scale);
  drawAmong(pen, scenery, scale);
  drawGathered(pen, scenery, scale);
  drawChosen(pen, scenery);
}

/** A cross on each token that does not belong where it is shown: a shape, whatever the colours are. */
function drawDoubtful(pen: Pen, scenery: Scenery, scale: number) {
  const arm = 3.5 * scale;
  const cross = (x: number, y: number) => {
    pen.moveTo(x - arm, y - arm);
    pen.lineTo(x + arm, y + arm);
    pen.moveTo(x - arm, y + arm);
    pen.lineTo(x + arm, y - arm);
  };
  if (trace(pen, scenery, scenery.doubtful, arm, cross)) stroke(pen, INK.doubt, 1.4 * scale, 0.85);
}

/** A ring around each token of the district that is looked at. */
function drawAmong(pen: Pen, scenery: Scenery, scale: number) {
  const radius = 6 * scale;
  const ring = (x: number, y: number) => {
    pen.moveTo(x + radius, y);
    pen.arc(x, y, radius, 0, 2 * Math.PI);
  };
  if (trace(pen, scenery, scenery.among, radius, ring)) stroke(pen, INK.lamp, 1.2 * scale, 0.8);
}

/** A diamond around each token that was gathered: a shape of its own, whatever the colours are. */
function drawGathered(pen: Pen, scenery: Scenery, scale: number) {
  // Of many they are smaller, so that the lamps are still seen.
  const many = scenery.gathered.length;
  const arm = (many > 250 ? 3.6 : many > 60 ? 5 : 7.5) * scale;
  const line = (many > 60 ? 1 : 1.4) * scale;
  const diamond = (x: number, y: number) => {
    pen.moveTo(x, y - arm);
    pen.lineTo(x + arm, y);
    pen.lineTo(x, y + arm);
    pen.lineTo(x - arm, y);
    pen.closePath();
  };
  if (!trace(pen, scenery, scenery.gathered, arm, diamond)) return;
  // Dark beneath, so that it is seen on bright land too.
  stroke(pen, INK.night, line + 1.6 * scale, 0.5);
  stroke(pen, INK.text, line, 0.95);
}

/** One path of a shape around each of these tokens that is seen, `reach` pixels from its middle; whether there is any. */
function trace(
  pen: Pen,
  scenery: Scenery,
  ids: readonly number[],
  reach: number,
  shape: (x: number, y: number) => void,
): boolean {
  if (!ids.length) return false;
  const { width, height } = scenery;
  pen.beginPath();
  for (const id of ids) {
    const [x, y] = pixel(scenery, scenery.at(id));
    if (x >= -reach && y >= -reach && x <= width + reach && y <= height + reach) shape(x, y);
  }
  return true;
}

function stroke(pen: Pen, ink: string, width: number, alpha: number) {
  pen.strokeStyle = ink;
  pen.lineWidth = width;
  pen.globalAlpha = alpha;
  pen.stroke();
  pen.globalAlpha = 1;
}

/** The links to the neighbours of the chosen token, and the ring around it. */
function drawChosen(pen: Pen, scenery: Scenery) {
  if (scenery.chosen === null) return;
  const [x, y] = pixel(scenery, scenery.at(scenery.chosen));
  drawLinks(pen, [x, y], scenery.links, (id) => pixel(scenery, scenery.at(id)));
  pen.beginPath();
  pen.arc(x, y, 11, 0, 2 * Math.PI);
  stroke(pen, INK.lamp, 2, 1);
}
