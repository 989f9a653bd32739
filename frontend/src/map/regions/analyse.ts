/**
 * Analysis of a layout: its density grid, the shapes of its groups, and an index of its tokens. Pure.
 */

import { shapeOf, type GroupMembers, type GroupShape } from "./districts";
import { buildTokenGrid, GridIndex, type TokenGrid } from "../../model/plane/spatial-index";
import { coordinates, robustBounds, type Placement } from "../../model/plane/placement";
import type { MapRect } from "../../model/plane/viewport";
import { densityOf, type DensityGrid } from "./density";

/** The analysis of a layout. */
export interface LayoutAnalysis {
  /** Bounds of all but the stray tokens. */
  box: MapRect;
  density: DensityGrid;
  /** The shape of each group. */
  shapes: GroupShape[];
  grid: TokenGrid;
}

/** Analyse a layout with the given groups. */
export function analyseLayout(placement: Placement, { ids, starts }: GroupMembers): LayoutAnalysis {
  const xy = coordinates(placement);
  const box = robustBounds(xy);
  const grid = buildTokenGrid(xy, box);
  const index = new GridIndex(grid);
  const shapes: GroupShape[] = [];
  for (let group = 0; group + 1 < starts.length; group++) {
    shapes.push(shapeOf(xy, ids.subarray(starts[group], starts[group + 1]), box, index));
  }
  return { box, density: densityOf(xy, box), shapes, grid };
}
