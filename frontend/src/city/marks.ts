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
  if (!scenery.doubtful.length) return;
  const arm = 3.5 * scale;
  pen.globalAlpha = 0.85;
  pen.strokeStyle = INK.doubt;
  pen.lineWidth = 1.4 * scale;
  pen.beginPath();
  for (const id of scenery.doubtful) {
    const [x, y] = pixel(scenery, scenery.at(id));
    if (x < 0 || y < 0 || x > scenery.width || y > scenery.height) continue;
    pen.moveTo(x - arm, y - arm);
    pen.lineTo(x + arm, y + arm);
    pen.moveTo(x - arm, y + arm);
    pen.lineTo(x + arm, y - arm);
  }
  pen.stroke();
  pen.globalAlpha = 1;
}

/** A ring around each token of the district that is looked at. */
function drawAmong(pen: Pen, scenery: Scenery, scale: number) {
  if (!scenery.among.length) return;
  pen.globalAlpha = 0.8;
  pen.strokeStyle = INK.lamp;
  pen.lineWidth = 1.2 * scale;
  pen.beginPath();
  for (const id of scenery.among) {
    const [x, y] = pixel(scenery, scenery.at(id));
    if (x < 0 || y < 0 || x > scenery.width || y > scenery.height) continue;
    pen.moveTo(x + 6 * scale, y);
    pen.arc(x, y, 6 * scale, 0, 2 * Math.PI);
  }
  pen.stroke();
  pen.globalAlpha = 1;
}

/** A diamond around each token that was gathered: a shape of its own, whatever the colours are. */
function drawGathered(pen: Pen, scenery: Scenery, scale: number) {
  if (!scenery.gathered.length) return;
  // Of many they are smaller, so that the lamps are still seen.
  const many = scenery.gathered.length;
  const arm = (many > 250 ? 3.6 : many > 60 ? 5 : 7.5) * scale;
  const line = (many > 60 ? 1 : 1.4) * scale;
  pen.beginPath();
  for (const id of scenery.gathered) {
    const [x, y] = pixel(scenery, scenery.at(id));
    if (!(x >= -arm && y >= -arm && x <= scenery.width + arm && y <= scenery.height + arm))
      continue;
    pen.moveTo(x, y - arm);
    pen.lineTo(x + arm, y);
    pen.lineTo(x, y + arm);
    pen.lineTo(x - arm, y);
    pen.closePath();
  }
  // Dark beneath, so that it is seen on bright land too.
  pen.strokeStyle = INK.night;
  pen.lineWidth = line + 1.6 * scale;
  pen.globalAlpha = 0.5;
  pen.stroke();
  pen.strokeStyle = INK.text;
  pen.lineWidth = line;
  pen.globalAlpha = 0.95;
  pen.stroke();
  pen.globalAlpha = 1;
}

/** The links to the neighbours of the chosen token, and the ring around it. */
function drawChosen(pen: Pen, scenery: Scenery) {
  if (scenery.chosen === null) return;
  const [x, y] = pixel(scenery, scenery.at(scenery.chosen));
  drawLinks(pen, [x, y], scenery.links, (id) => pixel(scenery, scenery.at(id)));
  pen.strokeStyle = INK.lamp;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(x, y, 11, 0, 2 * Math.PI);
  pen.stroke();
}
