/** The view of how the open run differs from another. Pure. */

import { parseSecondMapSource } from "./second-map-options";
import type { ViewChange } from "./view-state";

/**
 * Return the change of the view that shows the difference between the open run and `other`: both maps side by side, what
 * differs lit, and the panel of numbers.
 */
export function differenceView(other: string): ViewChange {
  return {
    panel: "difference",
    folded: null,
    beside: parseSecondMapSource(`run:${other}`),
    colour: "aligned",
    ring: null,
  };
}
