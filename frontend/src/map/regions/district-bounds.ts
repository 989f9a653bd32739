/** The part of the map that a district covers. Pure. */

import type { Districts } from "../../api/frames";
import { positionOf, robustBounds, type Placement } from "../../model/plane/placement";
import type { MapRect } from "../../model/plane/viewport";

/** Minimum side of the bounds, as a fraction of the map's: a smaller part would be hard to read. */
const MIN_PART = 0.05;

/** Return the bounds of a district's tokens without strays; null if there is no such district. */
export function districtBounds(
  districts: Districts,
  id: number,
  placement: Placement,
): MapRect | null {
  const index = districts.ids.indexOf(id) + 1;
  if (index === 0) return null;
  const places: number[] = [];
  districts.of.forEach((of, token) => {
    if (of === index) places.push(...positionOf(placement, token));
  });
  const { box } = placement;
  const { x0, x1, y0, y1 } = robustBounds(Float32Array.from(places));
  const marginX = Math.max(0, MIN_PART * (box.x1 - box.x0) - (x1 - x0)) / 2;
  const marginY = Math.max(0, MIN_PART * (box.y1 - box.y0) - (y1 - y0)) / 2;
  return { x0: x0 - marginX, x1: x1 + marginX, y0: y0 - marginY, y1: y1 + marginY };
}
