/** The overlay's model: what is marked, what is known, and what is visible. */

import type { Vocabulary } from "../../api/vocabulary";
import type { District } from "../regions/districts";
import type { Box, View } from "../../model/viewport";
import type { LinkLine } from "../../model/neighbour-link";
import type { DrawnTrail } from "../../model/trail";

/** Marks on the map, by kind. */
export interface Marks {
  /** Tokens of the focused district. */
  among: number[];
  /** Tokens whose position is not trustworthy. */
  doubtful: number[];
  /** Selected tokens. */
  gathered: readonly number[];
  /** Rows of the beat, the brightest first. */
  lit: { id: number; strength: number }[];
  chosen: number | null;
  links: LinkLine[];
  /** Paths of tokens, which are labelled. On the screen Plotly draws them. */
  trails: DrawnTrail[];
}

/** The input of the overlay. */
export interface Scenery extends Marks {
  vocabulary: Vocabulary;
  districts: District[];
  /** Returns token ids, the most common first: at least all in view. */
  commonest: () => Iterable<number>;
  /** Magnification relative to the whole map. */
  zoom: number;
  view: View;
  /** Returns the current position of a token, in map units. */
  at: (id: number) => [number, number];
  width: number;
  height: number;
  /** The uncovered part of the picture, in pixels. */
  free: Box;
}

/** Return the pixel of the picture at which a map position is drawn. */
export function pixel(
  { view, width, height }: Scenery,
  [x, y]: [number, number],
): [number, number] {
  return [
    ((x - view.x0) / (view.x1 - view.x0)) * width,
    (1 - (y - view.y0) / (view.y1 - view.y0)) * height,
  ];
}
