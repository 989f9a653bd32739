/** The colour scales of a film: one for each step, all with the same edges. Pure. */

import type { Districts } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import type { ColourBy } from "../../model/view/view-options";
import { quantityScale, roundEdges, scaleOfKinds } from "../../state/view/colour-scales";
import type { ColourScale } from "../../model/colour-scale";

/** Number of steps sampled to find the scale's edges. */
const SAMPLED_STEPS = 12;

interface FilmStepValues {
  districts: Districts | null;
  values: Float32Array | null;
}

/** Return the colour scale of every step; the same object for all where nothing changes. */
export function filmColourScales(
  by: ColourBy,
  vocabulary: Vocabulary,
  steps: FilmStepValues[],
): ColourScale[] {
  if (by === "district") {
    const known = new Map<Districts | null, ColourScale>();
    return steps.map(({ districts }) => {
      const scale = known.get(districts) ?? scaleOfKinds(by, vocabulary, districts)!;
      known.set(districts, scale);
      return scale;
    });
  }
  const constant =
    by === "frequency"
      ? quantityScale(by, Float32Array.from(vocabulary.counts))
      : scaleOfKinds(by, vocabulary, null);
  if (constant) return steps.map(() => constant);
  const values = steps.map((step) => step.values ?? new Float32Array());
  const edges = sharedEdges(by, values);
  const scales = values.map((one) => quantityScale(by, one, edges));
  // The film has one legend: an entry empty at one step may have tokens at another.
  for (const { entries } of scales.slice(1)) {
    entries.forEach(({ count }, at) => (scales[0]!.entries[at]!.count += count));
  }
  return scales.map((one) => ({ ...one, entries: scales[0]!.entries }));
}

/**
 * Return edges shared by all steps, found from a sample that includes the last step; undefined where the
 * edges are fixed.
 */
function sharedEdges(by: ColourBy, values: Float32Array[]): number[] | undefined {
  if (by === "since" || by === "trust") return undefined;
  const every = Math.ceil(values.length / SAMPLED_STEPS);
  const some = values.toReversed().filter((_, at) => at % every === 0);
  const all = new Float32Array(some.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const one of some) {
    all.set(one, offset);
    offset += one.length;
  }
  return roundEdges(all);
}
