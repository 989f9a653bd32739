/** The map of another run drawn like the first map. Pure. */

import type { Layout } from "../../api/frames";
import { coordinates, placementOf, quantise } from "../../model/plane/placement";

/** A layout of the run on the first map, and the one of the other run that was drawn like it. */
export interface AlignedLayouts {
  readonly first: Layout;
  readonly second: Layout;
}

/** Return the second layout moved as the first map has moved to `now`; of two runs with the same words. */
export function moveAlong({ first, second }: AlignedLayouts, now: Layout): Layout {
  if (now === first) return second;
  const [before, after] = [first, now].map((one) => coordinates(placementOf(one)));
  const places = coordinates(placementOf(second));
  const { box, ...moved } = quantise(places.map((at, i) => at + after![i]! - before![i]!));
  return { ...second, ...box, ...moved };
}
