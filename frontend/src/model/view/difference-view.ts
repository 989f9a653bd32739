/** The view of how the open run differs from another. Pure. */

import type { Run } from "../../api/rest-types";
import { areRelated } from "../ancestry";
import { parseSecondMapSource } from "./second-map-options";
import type { ViewChange } from "./view-state";

/**
 * Return the change of the view that shows the difference between the run `id` and `other`: both maps side by
 * side, what differs lit, and the panel of numbers.
 */
export function differenceView(id: string, other: string, runs: readonly Run[]): ViewChange {
  return {
    panel: "difference",
    folded: null,
    beside: parseSecondMapSource(`run:${other}`),
    colour: "aligned",
    ring: null,
    // The live maps of related runs lie alike; each smoothed one is drawn for its own run.
    ...(areRelated(id, other, runs) && { set: "live" }),
  };
}
