/** Commands of the geometry lab. */

import type { GeometryView } from "../../model/view/view-options";
import type { ViewChange } from "../../model/view/view-state";
import type { CommandScope } from "./scope";

/**
 * Return the change that restores the look from before the camera moved to the direction on display; empty if
 * it did not.
 */
export function wayBackFromDirection({
  viewSettings,
  viewpoint,
}: Pick<CommandScope, "viewSettings" | "viewpoint">): ViewChange {
  return viewSettings.geometry.arrow ? viewpoint.wayBack : {};
}

export function geometryCommands({ apply, viewSettings, viewpoint }: CommandScope) {
  const openGeometry = (change: Pick<ViewChange, "lab" | "of" | "to"> = {}) =>
    apply({ panel: "geometry", folded: null, ...change });
  return {
    openGeometry,
    /** Show another view of the lab, with its own words. */
    chooseGeometry: (lab: GeometryView) =>
      apply({
        ...{ lab, of: null, to: null },
        ...(lab !== "axis" && wayBackFromDirection({ viewSettings, viewpoint })),
      }),
    nameGeometryWords: (words: Pick<ViewChange, "of" | "to">) => apply(words),
  };
}
