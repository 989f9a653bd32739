/** Lines from the chosen token to those that are near it in the space, on the map, or both. */

import { INK } from "./palette";
import type { Pen } from "./pen";

export type LinkKind = "space" | "map" | "both";

export interface LinkLine {
  id: number;
  /** Of the angle between the two rows; null where that is not known. */
  cosine: number | null;
  kind: LinkKind;
}

/** Each kind has dashes of its own, and a shape at its end: colour says nothing here. */
const DASHES: Record<LinkKind, number[]> = { space: [], map: [2, 4], both: [9, 3] };

/** Draw them from (x, y); `pixelOf` says where a token is on the picture. */
export function drawLinks(
  pen: Pen,
  [x, y]: [number, number],
  links: LinkLine[],
  pixelOf: (id: number) => [number, number],
) {
  pen.strokeStyle = INK.lamp;
  for (const { id, cosine, kind } of links) {
    const [nx, ny] = pixelOf(id);
    pen.lineWidth = kind === "both" ? 1.8 : 1.2;
    pen.globalAlpha = kind === "map" ? 0.55 : 0.2 + 0.5 * Math.max(0, cosine ?? 0) ** 2;
    pen.setLineDash(DASHES[kind]);
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(nx, ny);
    pen.stroke();
    pen.setLineDash([]);
    pen.globalAlpha = 0.85;
    pen.beginPath();
    // A ring: near in the space. A square: near on the map. Both: both.
    if (kind !== "map") {
      pen.moveTo(nx + 4, ny);
      pen.arc(nx, ny, 4, 0, 2 * Math.PI);
    }
    if (kind !== "space") pen.rect(nx - 5.5, ny - 5.5, 11, 11);
    pen.stroke();
  }
  pen.globalAlpha = 1;
}
