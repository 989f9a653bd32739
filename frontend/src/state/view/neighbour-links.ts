/** The links of the focused token to its nearest neighbours in the space, on the map, or both. Pure. */

import type { Layout } from "../../api/frames";
import { NearestTokens } from "../../model/plane/nearest";
import type { NeighbourLink } from "../../model/neighbour-link";
import type { LinkTarget } from "../../model/view/view-options";

/**
 * Return the `k` tokens nearest to one on a layout, nearest first. Distances are in map units, independent of
 * the picture's shape.
 */
export function nearestOnMap(layout: Layout, id: number, k: number): number[] {
  const { places, x0, x1, y0, y1 } = layout;
  const [x, y] = [places[2 * id], places[2 * id + 1]];
  if (x === undefined || y === undefined) return [];
  const nearest = new NearestTokens(k);
  const [sx, sy] = [x1 - x0, y1 - y0];
  for (let other = 0; other < places.length / 2; other++) {
    if (other === id) continue;
    nearest.offer(
      other,
      ((places[2 * other]! - x) * sx) ** 2 + ((places[2 * other + 1]! - y) * sy) ** 2,
    );
  }
  return [...nearest.kept];
}

/** Return the links to draw; a token that is near in both ways gets one link. */
export function buildLinks(
  to: LinkTarget,
  space: { token_id: number; cosine: number | null }[],
  map: number[],
): NeighbourLink[] {
  const near = new Set(map);
  const kinds = new Map<number, NeighbourLink>();
  for (const { token_id: id, cosine } of space) {
    if (near.has(id)) kinds.set(id, { id, cosine, kind: "both" });
    else if (to !== "map") kinds.set(id, { id, cosine, kind: "space" });
  }
  if (to !== "space") {
    for (const id of map) if (!kinds.has(id)) kinds.set(id, { id, cosine: null, kind: "map" });
  }
  return to === "none" ? [] : [...kinds.values()];
}
