/** The types of a legend: its entries, and the entry of each token. */

import type { ColourBy } from "./view/view-options";

/**
 * The colour of a legend entry: the tint of a kind, a position on the ramp (0 to 1), or one of two neutrals.
 */
export type EntryColour = { kind: number } | { part: number } | "plain" | "unknown";

export interface LegendEntry {
  key: string;
  colour: EntryColour;
  /** Name of a kind, which quotes the run's text. Hostile: show with `printableText`. */
  name: string | null;
  /** Ends of a band; null if open, and for other entries. */
  from: number | null;
  to: number | null;
  /**
   * Set for an entry that is neither a kind nor a band: no kind, at rest (never lit, did not move), or
   * unknown.
   */
  other: "none" | "rest" | "unknown" | null;
  count: number;
  /** Key of the coarse entry that this entry of a finer scale belongs to; null in the coarse scale. */
  within: string | null;
}

export interface ColourScale {
  by: ColourBy;
  entries: LegendEntry[];
  /** Index into `entries`, by token id. */
  entryOf: Uint16Array;
  /** Values of a quantity, by token id; NaN if not known. */
  values: Float32Array | null;
  /** Least and greatest known value. */
  least: number;
  greatest: number;
  /** The scale one level deeper: the classes of the families. */
  finer: ColourScale | null;
}
