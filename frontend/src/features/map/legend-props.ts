/** The props of the legend. */

import type { ColourScale } from "../../model/colour-scale";
import type { LiveRun } from "../../state/run/live-run.svelte";
import type { Trails } from "../../state/view/trails.svelte";

export interface LegendProps {
  run: LiveRun;
  scale: ColourScale | null;
  trails: Trails;
  /**
   * How many of the chosen token's neighbours on the map are neighbours in the space; null without a chosen token.
   */
  shared: { shared: number; k: number; map: number; space: number } | null;
  /** Called when the pointer or the focus enters an entry, or leaves it (null). */
  entryPointed: (key: string | null) => void;
}
