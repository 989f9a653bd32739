/** What is written and drawn over the lamps is chosen from this: who is marked, what is known, and what is seen. */

import type { Vocabulary } from "../wire/vocabulary";
import type { District } from "./districts";
import type { Box } from "./labels";
import type { LinkLine } from "./links";
import type { View } from "./placement";
import type { Trail } from "./trails";

/** Tokens that are marked on the map. */
export interface Marks {
  /** Tokens of the district that is looked at. */
  among: number[];
  /** Tokens shown where they do not belong, to be marked. */
  doubtful: number[];
  /** Tokens that were gathered. */
  gathered: readonly number[];
  /** The beat's rows, the brightest first. */
  lit: { id: number; strength: number }[];
  chosen: number | null;
  links: LinkLine[];
  /** Ways that tokens came; those are named. Plotly draws them on the screen. */
  trails: Trail[];
}

export interface Scenery extends Marks {
  vocabulary: Vocabulary;
  districts: District[];
  /** Token ids, the most common first: at least all that are seen. */
  commonest: () => Iterable<number>;
  /** Times closer than the whole city. */
  zoom: number;
  view: View;
  /** Map units of a token now. */
  at: (id: number) => [number, number];
  width: number;
  height: number;
  /** The part of the picture that nothing covers, in pixels. */
  free: Box;
}

/** Where a place of the map is seen, in pixels of the picture. */
export function pixel(
  { view, width, height }: Scenery,
  [x, y]: [number, number],
): [number, number] {
  return [
    ((x - view.x0) / (view.x1 - view.x0)) * width,
    (1 - (y - view.y0) / (view.y1 - view.y0)) * height,
  ];
}
