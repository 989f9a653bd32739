/** The choice of the district that is pointed out to a newcomer. Pure. */

import type { Districts, Layout } from "../../api/frames";
import { tokensOfDistrict } from "../../model/districts/district-members";
import { isPlantedName } from "../../model/districts/district-names";
import type { NamedDistrict } from "./introduction";
import { lookPlace, type LookPlace } from "../../model/look";
import { placementOf, positionOf } from "../../model/plane/placement";

/** Magnification at which a district is viewed: readable, with its surroundings. */
const MAGNIFICATION = 2.2;
/** Its distance above the middle of the view, clear of a card, as a fraction of the map's height. */
const RAISED = 0.07;
/**
 * Minimum size of a district that is pointed out, as a fraction of the largest. The largest is often a
 * mixture of short words, and the first kinds with an informative name are less than half its size.
 */
const MIN_SIZE = 1 / 3;
/** Fraction of the map's height, from below, that a card may cover. */
const COVERED_HEIGHT = 0.4;

/**
 * Return the district to point out; null: none. It must have lasted and be large. In order of priority, it is
 * clear of a card at the foot of the map, is named after its kind, and is the largest. `classes`: the planted
 * kinds of words, if the text has any; `hasLasted`: whether a district, by id, has existed for a while.
 */
export function districtToTell(
  districts: Districts | null,
  layout: Layout | null,
  classes: readonly string[],
  hasLasted: (id: number) => boolean = () => true,
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
  const isNamedByKind = ({ name }: (typeof found)[number]) => +isPlantedName(name, classes);
  const least = MIN_SIZE * Math.max(...found.map(({ size }) => size));
  const best = found
    .filter(({ id, size }) => size > 0 && size >= least && hasLasted(id))
    .sort(
      (a, b) => isClear(b) - isClear(a) || isNamedByKind(b) - isNamedByKind(a) || b.size - a.size,
    )[0];
  if (!best) return null;
  const planted = isPlantedName(best.name, classes);
  return { id: best.id, name: best.name, telling: !classes.length || planted, planted };
}

/** Return the place to look at for a district of a map; null if the map does not have it. */
export function placeOfDistrict(
  { id }: NamedDistrict,
  districts: Districts | null,
  layout: Layout | null,
): LookPlace | null {
  if (!layout) return null;
  const placement = placementOf(layout);
  const { x0, x1, y0, y1 } = placement.box;
  const xs: number[] = [];
  const ys: number[] = [];
  for (const token of tokensOfDistrict(id, districts)) {
    if (2 * token >= placement.places.length) break;
    const [x, y] = positionOf(placement, token);
    xs.push(x);
    ys.push(y);
  }
  if (!xs.length) return null;
  const [x, y] = [median(xs), median(ys)];
  return lookPlace((x - x0) / (x1 - x0), (y - y0) / (y1 - y0) - RAISED, MAGNIFICATION);
}

/** Return the median, which outliers do not move. */
function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!;
}
