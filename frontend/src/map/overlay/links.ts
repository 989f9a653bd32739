/**
 * Rays from the chosen token to its nearest tokens in the embedding space, on the map, or in both. Neighbours
 * have no marks except their names, so that their lamps stay visible.
 */

import type { LinkKind, NeighbourLink } from "../../model/neighbour-link";
import { INK } from "../palette";

/** Each kind has its own dashes, because colour has no meaning here. */
const DASHES: Record<LinkKind, number[]> = { space: [], map: [1.5, 4], both: [9, 3] };
/** Distance at which a ray ends before its neighbour, in design pixels, so that the lamp stays clear. */
const SHORT = 5;

/**
 * Draw the rays from the edge of the ring of `radius` around (x, y); `pixelOf` returns a token's position.
 */
export function drawRays(
  context: CanvasRenderingContext2D,
  [x, y]: [number, number],
  radius: number,
  links: NeighbourLink[],
  pixelOf: (id: number) => [number, number],
  scale: number,
) {
  context.strokeStyle = INK.lamp;
  context.lineWidth = scale;
  for (const { id, cosine, kind } of links) {
    const [nx, ny] = pixelOf(id);
    const far = Math.hypot(nx - x, ny - y);
    const end = far - SHORT * scale;
    // A neighbour inside the ring needs no ray.
    if (end <= radius) continue;
    const at = (away: number) =>
      [x + ((nx - x) * away) / far, y + ((ny - y) * away) / far] as const;
    context.globalAlpha = kind === "map" ? 0.4 : 0.22 + 0.4 * Math.max(0, cosine ?? 0) ** 2;
    context.setLineDash(DASHES[kind].map((part) => part * scale));
    context.beginPath();
    context.moveTo(...at(radius));
    context.lineTo(...at(end));
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}
