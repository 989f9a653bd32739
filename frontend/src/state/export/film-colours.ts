/** The colour scales of a film: one for each step, all with the same edges. Pure. */

import type { Districts } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import type { ColourBy } from "../../model/view-options";
import {
  edgesOf,
  shadesOfClasses,
  shadesOfDistricts,
  shadesOfQuantity,
} from "../view/colour-scales";
import type { Shades } from "../../model/shade";

/** Steps sampled to find the scale's edges. */
const SOUNDED = 12;

interface Coloured {
  districts: Districts | null;
  values: Float32Array | null;
}

/** Return the colour scale of every step; the same one for all where nothing changes. */
export function shadesOfReel(
  by: ColourBy,
  vocabulary: Vocabulary,
  shots: Coloured[],
  tintsOf: (found: Districts, vocabulary: Vocabulary) => number[],
): Shades[] {
  if (by === "district") {
    const all = vocabulary.tokens.length;
    const nowhere = shadesOfDistricts({ names: [], of: new Uint16Array(all), vocabulary: all }, []);
    const known = new Map<Districts | null, Shades>([[null, nowhere]]);
    return shots.map(({ districts }) => {
      const shades =
        known.get(districts) ?? shadesOfDistricts(districts!, tintsOf(districts!, vocabulary));
      known.set(districts, shades);
      return shades;
    });
  }
  if (by === "class" || by === "frequency") {
    const all =
      by === "class"
        ? shadesOfClasses(vocabulary)
        : shadesOfQuantity(by, Float32Array.from(vocabulary.counts));
    return shots.map(() => all);
  }
  const values = shots.map((shot) => shot.values ?? new Float32Array());
  const scale = scaleOf(by, values);
  const shades = values.map((one) => shadesOfQuantity(by, one, scale));
  // The film has one legend: an entry empty in one step may have tokens in another.
  for (const { entries } of shades.slice(1)) {
    entries.forEach(({ count }, at) => (shades[0]!.entries[at]!.count += count));
  }
  return shades.map((one) => ({ ...one, entries: shades[0]!.entries }));
}

/**
 * Return edges shared by all steps, found from a sample of them that includes the last; undefined
 * where the edges are fixed.
 */
function scaleOf(by: ColourBy, shots: Float32Array[]): number[] | undefined {
  if (by === "since" || by === "trust") return undefined;
  const every = Math.ceil(shots.length / SOUNDED);
  const some = shots.toReversed().filter((_, at) => at % every === 0);
  const all = new Float32Array(some.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const one of some) {
    all.set(one, at);
    at += one.length;
  }
  return edgesOf(all);
}
