/** Commands of the geometry lab. */

import type { GeometryView } from "../../model/view/view-options";
import type { ViewChange } from "../../model/view/view-state";
import type { CommandScope } from "./scope";

/** Return the change that leads back to the look before the camera went to the direction that is shown; none if there is none. */
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
    /** Show another view of the lab; its words are its own. */
    chooseGeometry: (lab: GeometryView) =>
      apply({
        ...{ lab, of: null, to: null },
        ...(lab !== "axis" && wayBackFromDirection({ viewSettings, viewpoint })),
      }),
    nameGeometryWords: (words: Pick<ViewChange, "of" | "to">) => apply(words),
  };
}
