/** Analysis of a layout: its density grid, the shapes of its groups, and an index of its tokens. Pure. */

import { districtShapeOf, type DistrictShape, type GroupMembers } from "./districts";
import { buildTokenGrid, type TokenGrid } from "../../model/spatial-index";
import { coordinates, robustBounds, type Placement } from "../../model/placement";
import type { MapRect } from "../../model/viewport";
import { densityOf, type DensityGrid } from "./density";

/** The analysis of a layout. */
export interface LayoutAnalysis {
  /** Bounds of all but the stray tokens. */
  box: MapRect;
  density: DensityGrid;
  /** Shapes by group. */
  shapes: DistrictShape[];
  grid: TokenGrid;
}

/** Analyse a layout with the given groups. */
export function analyseLayout(placement: Placement, { ids, starts }: GroupMembers): LayoutAnalysis {
  const xy = coordinates(placement);
  const box = robustBounds(xy);
  const shapes: DistrictShape[] = [];
  for (let group = 0; group + 1 < starts.length; group++) {
    shapes.push(districtShapeOf(xy, ids.subarray(starts[group], starts[group + 1]), box));
  }
  return { box, density: densityOf(xy, box), shapes, grid: buildTokenGrid(xy, box) };
}
