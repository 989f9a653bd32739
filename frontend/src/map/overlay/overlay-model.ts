/** The overlay's model: the marks, the tokens, and the view. */

import type { Vocabulary } from "../../api/vocabulary";
import type { District } from "../regions/districts";
import type { PixelRect, Viewport } from "../../model/plane/viewport";
import type { NeighbourLink } from "../../model/neighbour-link";
import type { DrawnTrail } from "../../model/plane/trail";

/** Marks on the map, by kind. */
export interface MapMarks {
  /** Tokens of the focused district. */
  ringed: number[];
  /** Tokens with a ring of individual size, as a multiple of the default. */
  rings?: ReadonlyMap<number, number>;
  /** Notes beside the names of some of these tokens. */
  notes?: ReadonlyMap<number, string>;
  /** Tokens whose position is not trustworthy. */
  doubtful: number[];
  /** Selected tokens. */
  selected: readonly number[];
  chosen: number | null;
  /** Ends of a direction, drawn as an arrow from the middle of some tokens to the middle of others. */
  arrow?: { from: readonly number[]; to: readonly number[] } | null;
  links: NeighbourLink[];
  /** Paths of tokens, which are labelled. */
  trails: DrawnTrail[];
}

/** A row of the beat, and its brightness, 0 to 1. */
export interface LitRow {
  id: number;
  strength: number;
}

/** The part of the map in a picture, with everything that labels need to know of it. */
export interface OverlayFrame extends Viewport {
  /** Magnification relative to the whole map. */
  zoom: number;
  /** The uncovered part of the picture, in pixels. */
  uncovered: PixelRect;
}

/** The input of the overlay. */
export interface OverlayModel extends MapMarks, OverlayFrame {
  vocabulary: Vocabulary;
  districts: District[];
  /** Rows of the beat, brightest first. */
  lit: LitRow[];
  /** Returns token ids, most common first: at least all in view. */
  commonest: () => Iterable<number>;
  /** Returns the current position of a token, in map units. */
  positionOf: (id: number) => [number, number];
  /** Returns the current middle of a district, in map units. */
  middleOf: (district: District) => [number, number];
  /** Returns the colour of a district's name among its lamps. */
  nameColour: (district: District) => string;
  /** Returns whether a token belongs to a district with a middle. */
  inDistrict: (id: number) => boolean;
}
