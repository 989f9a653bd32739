/** Analysis of a layout: its density grid, the shapes of its groups, and an index of its tokens. Pure. */

import { districtAt, type Lie, type Members } from "./districts";
import { gridOf, type Grid } from "../../model/spatial-index";
import { coordinates, span, type Placement } from "../../model/placement";
import type { View } from "../../model/viewport";
import { reliefOf, type Relief } from "./density";

/** The analysis of a layout. */
export interface Survey {
  /** Bounds of all but the stray tokens. */
  box: View;
  relief: Relief;
  /** Shapes by group. */
  lies: Lie[];
  grid: Grid;
}

/** Analyse a layout with the given groups. */
export function survey(placement: Placement, { ids, starts }: Members): Survey {
  const xy = coordinates(placement);
  const box = span(xy);
  const lies: Lie[] = [];
  for (let group = 0; group + 1 < starts.length; group++) {
    lies.push(districtAt(xy, ids.subarray(starts[group], starts[group + 1]), box));
  }
  return { box, relief: reliefOf(xy, box), lies, grid: gridOf(xy, box) };
}
