/** Commands of the geometry lab. */

import type { GeometryView } from "../../model/view-options";
import type { ViewChange } from "../../model/view-state";
import type { CommandScope } from "./scope";

export function geometryCommands({ apply }: CommandScope) {
  return {
    openGeometry: (change: Pick<ViewChange, "lab" | "of" | "to"> = {}) =>
      apply({ panel: "geometry", folded: null, ...change }),
    /** Show another view of the lab; its words are its own. */
    chooseGeometry: (lab: GeometryView) => apply({ lab, of: null, to: null }),
    nameGeometryWords: (words: Pick<ViewChange, "of" | "to">) => apply(words),
  };
}
