/** Texts of the inspector around its panels. */

import type { LAB_PANELS } from "../model/view/view-options";

export const inspector = {
  inspecting: {
    tabs: "Panels of the lab",
    pointOut: "Point this out: the address leads here, and a class that follows sees it marked",
    leftOut: (panel: string) =>
      `This file has no panel “${panel}”. Open the run with Lamplighter to see it.`,
    /** One sentence about each panel of the lab, displayed below the tabs and as the tab's tooltip. */
    about: {
      step: "What one training step read, which rows of the matrix it changed, and how strongly.",
      matrix:
        "All vectors as one picture: a line is a word, a column one of its numbers, the colour the value. Stripes mean that words of a kind share numbers.",
      run: "What this run is made of, how fast it goes, and what it takes.",
      map: "The neighbourhoods on the map, how it is drawn, and how reliable it is.",
      measures: "Does it know? What the model has learned, in numbers, step by step.",
      cost: "What training takes: energy, operations and memory, and what larger models take.",
      export: "A picture or a film of the map, this page with the run in it, and the run as files.",
    } satisfies Record<(typeof LAB_PANELS)[number], string>,
  },
} as const;
