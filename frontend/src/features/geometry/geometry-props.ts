/** The props that every view of the geometry lab takes. */

import type { Vocabulary } from "../../api/vocabulary";
import type { MeasureCurves } from "../../state/run/measure-curves.svelte";
import type { LiveRun } from "../../state/run/live-run.svelte";

export interface GeometryProps {
  run: LiveRun;
  vocabulary: Vocabulary;
  curves: MeasureCurves;
}
