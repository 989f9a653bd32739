/** The district of a map that is best pointed out to a newcomer. Pure. */

import type { Districts, Layout } from "../api/frames";
import type { NamedDistrict } from "./introduction";
import { placementOf, positionOf } from "./placement";

/** Part of the map's height, from below, that a card may cover. */
const COVERED_HEIGHT = 0.4;

/**
 * Return the district to point out: rather one clear of a card over the foot of the map, then rather one named after its
 * kind than after some words, then the largest. Null where there is none.
 */
export function districtToTell(
  districts: Districts | null,
  layout: Layout | null,
): NamedDistrict | null {
  if (!districts || !layout) return null;
  const placement = placementOf(layout);
  const { y0, y1 } = placement.box;
  const found = Array.from(districts.ids, (id, i) => ({
    id,
    name: districts.names[i] ?? "",
    size: 0,
    height: 0,
  }));
  districts.of.forEach((place, token) => {
    const district = found[place - 1];
    if (!district || 2 * token >= placement.places.length) return;
    district.size += 1;
    district.height += (positionOf(placement, token)[1] - y0) / (y1 - y0);
  });
  const isClear = ({ height, size }: (typeof found)[number]) => +(height / size > COVERED_HEIGHT);
  const isNamedByKind = ({ name }: NamedDistrict) => +!name.includes(" · ");
  const best = found
    .filter(({ size }) => size > 0)
    .sort(
      (a, b) => isClear(b) - isClear(a) || isNamedByKind(b) - isNamedByKind(a) || b.size - a.size,
    )[0];
  return best ? { id: best.id, name: best.name } : null;
}
