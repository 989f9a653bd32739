/** The types of a legend: its entries, and the entry of each token. */

import type { ColourBy } from "./view/view-options";

/**
 * The colour of a legend entry: a kind's own tint, a position on the ramp (0 to 1), or one of two
 * neutrals.
 */
export type EntryColour = { kind: number } | { part: number } | "plain" | "unknown";

export interface LegendEntry {
  key: string;
  colour: EntryColour;
  /** A kind's name, with text of the run in it. Hostile: show with `printableText`. */
  name: string | null;
  /** Ends of a band; null where it is open, and for other entries. */
  from: number | null;
  to: number | null;
  /**
   * Set for an entry that is neither a kind nor a band: in no kind, at rest (never lit, did not
   * move), or unknown.
   */
  other: "none" | "rest" | "unknown" | null;
  count: number;
  /** Key of the entry that this one of a finer scale is a part of; null in the scale itself. */
  within: string | null;
}

export interface ColourScale {
  by: ColourBy;
  entries: LegendEntry[];
  /** Index into `entries`, by token id. */
  entryOf: Uint16Array;
  /** Values of a quantity, by token id; NaN where not known. */
  values: Float32Array | null;
  /** Least and greatest known value. */
  least: number;
  greatest: number;
  /** The scale one level deeper: the classes of the families. */
  finer: ColourScale | null;
}
