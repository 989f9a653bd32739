/** The part of the map that some tokens cover, or a token and its neighbours. Pure. */

import { positionOf, type Placement } from "../../model/plane/placement";
import type { MapRect } from "../../model/plane/viewport";

/** Neighbours taken into account. */
const NEAREST = 8;
/** Neighbours shown: the nearest of them on the map, because some may lie far away. */
const KEPT = 6;
/** Minimum side of the part, as a fraction of the map's: a closer view would show the token alone. */
const MIN_SIDE = 0.2;
/** Margin for names, as a fraction of the part. */
const MARGIN = 0.3;

/** Return bounds around tokens, in map units. */
export function boundsAround(tokens: readonly number[], placement: Placement): MapRect {
  const { box } = placement;
  const places = tokens.map((id) => positionOf(placement, id));
  const side = (axis: 0 | 1, whole: number) => {
    const along = places.map((place) => place[axis]);
    const [low, high] = [Math.min(...along), Math.max(...along)];
    const half = Math.max((high - low) * (1 + MARGIN), whole * MIN_SIDE) / 2;
    return [(low + high) / 2 - half, (low + high) / 2 + half] as const;
  };
  const [x0, x1] = side(0, box.x1 - box.x0);
  const [y0, y1] = side(1, box.y1 - box.y0);
  return { x0, x1, y0, y1 };
}

/**
 * Return bounds around a token and its neighbours, in map units. `neighbours` are the nearest in the space,
 * nearest first.
 */
export function neighbourhoodBounds(
  token: number,
  neighbours: readonly number[],
  placement: Placement,
): MapRect {
  const middle = positionOf(placement, token);
  const around = neighbours
    .slice(0, NEAREST)
    .map((id) => {
      const [x, y] = positionOf(placement, id);
      return { id, far: Math.hypot(x - middle[0], y - middle[1]) };
    })
    .sort((a, b) => a.far - b.far)
    .slice(0, KEPT)
    .map(({ id }) => id);
  return boundsAround([token, ...around], placement);
}
