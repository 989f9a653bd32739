/** Commands of the geometry lab. */

import { analogyWords, formatLabWords } from "../../model/lab-words";
import type { GeometryView } from "../../model/view-options";
import type { ViewChange } from "../../model/view-state";
import type { CommandScope } from "./scope";

export function geometryCommands({ apply, openRun }: CommandScope) {
  return {
    /** Open the lab with this word as the first of an analogy; the others are the examples'. */
    openGeometryOf(id: number) {
      const vocabulary = openRun.run?.vocabulary;
      if (!vocabulary) return;
      const others = analogyWords({ of: "" }, vocabulary).slice(1);
      const of = others.length === 2 ? formatLabWords([id, ...others], vocabulary) : null;
      apply({ panel: "geometry", folded: null, lab: null, of, to: null });
    },
    openGeometry: (change: Pick<ViewChange, "lab" | "of" | "to"> = {}) =>
      apply({ panel: "geometry", folded: null, ...change }),
    /** Show another view of the lab; its words are its own. */
    chooseGeometry: (lab: GeometryView) => apply({ lab, of: null, to: null }),
    nameGeometryWords: (words: Pick<ViewChange, "of" | "to">) => apply(words),
  };
}
