/** The parts of a displayed map besides its lamps, on the screen and in a film: the beat, and the marks. Pure. */

import type { MapMarks } from "../overlay/overlay-model";

/** A real step whose rows are lit. */
export interface Beat {
  step: number;
  ids: Uint32Array;
  /** Gradient norm by row of `ids`; NaN if not known. */
  norms: Float32Array;
  /** Milliseconds until its light has faded. */
  duration: number;
  /** True to skip the rise of its light. */
  atOnce?: boolean;
}

/** Limit on a beat's rows that may be labelled. */
const NAMED = 120;
export const UNMARKED: MapMarks = {
  ringed: [],
  doubtful: [],
  selected: [],
  lit: [],
  chosen: null,
  links: [],
  trails: [],
};

/** Choose the rows of a beat that may be labelled, strongest gradient first; `strengths` by row. */
export function namedRows(
  { ids, norms }: Pick<Beat, "ids" | "norms">,
  strengths: Float32Array,
): MapMarks["lit"] {
  return Array.from(ids, (id, i) => ({ id, strength: strengths[i]!, norm: norms[i]! }))
    .sort((a, b) => (b.norm || 0) - (a.norm || 0))
    .slice(0, NAMED);
}
