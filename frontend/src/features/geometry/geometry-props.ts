/** The props that every view of the geometry lab takes. */

import type { Vocabulary } from "../../api/vocabulary";
import type { MeasureCurves } from "../../state/run/measure-curves.svelte";

export interface GeometryProps {
  vocabulary: Vocabulary;
  curves: MeasureCurves;
}
