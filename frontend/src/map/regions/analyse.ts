/**
 * Analysis of a layout: its density grid, the compactness of its groups, and an index of its tokens. Pure.
 */

import { compactnessOf, type GroupMembers } from "./districts";
import { buildTokenGrid, type TokenGrid } from "../../model/plane/spatial-index";
import { coordinates, robustBounds, type Placement } from "../../model/plane/placement";
import type { MapRect } from "../../model/plane/viewport";
import { densityOf, type DensityGrid } from "./density";

/** The analysis of a layout. */
export interface LayoutAnalysis {
  /** Bounds of all but the stray tokens. */
  box: MapRect;
  density: DensityGrid;
  /** Compactness of each group, 0 to 1. */
  compactness: number[];
  grid: TokenGrid;
}

/** Analyse a layout with the given groups. */
export function analyseLayout(placement: Placement, { ids, starts }: GroupMembers): LayoutAnalysis {
  const xy = coordinates(placement);
  const box = robustBounds(xy);
  const compactness: number[] = [];
  for (let group = 0; group + 1 < starts.length; group++) {
    compactness.push(compactnessOf(xy, ids.subarray(starts[group], starts[group + 1]), box));
  }
  return { box, density: densityOf(xy, box), compactness, grid: buildTokenGrid(xy, box) };
}
