/** Lines from the chosen token to its nearest tokens in the embedding space, on the map, or in both. */

import type { LinkKind, NeighbourLink } from "../../model/neighbour-link";
import { INK } from "../palette";
import type { DrawingContext } from "./drawing-context";

/** Each kind has its own dashes, and its own shape at the end, because colour carries no meaning here. */
const DASHES: Record<LinkKind, number[]> = { space: [], map: [2, 4], both: [9, 3] };

/** Draw the links from (x, y); `pixelOf` returns a token's position in the picture. */
export function drawLinks(
  context: DrawingContext,
  [x, y]: [number, number],
  links: NeighbourLink[],
  pixelOf: (id: number) => [number, number],
) {
  context.strokeStyle = INK.lamp;
  for (const { id, cosine, kind } of links) {
    const [nx, ny] = pixelOf(id);
    context.lineWidth = kind === "both" ? 1.8 : 1.2;
    context.globalAlpha = kind === "map" ? 0.55 : 0.2 + 0.5 * Math.max(0, cosine ?? 0) ** 2;
    context.setLineDash(DASHES[kind]);
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(nx, ny);
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 0.85;
    context.beginPath();
    // A ring for near in the space, a square for near on the map, both for both.
    if (kind !== "map") {
      context.moveTo(nx + 4, ny);
      context.arc(nx, ny, 4, 0, 2 * Math.PI);
    }
    if (kind !== "space") context.rect(nx - 5.5, ny - 5.5, 11, 11);
    context.stroke();
  }
  context.globalAlpha = 1;
}
