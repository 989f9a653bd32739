/** Texts of the inspector around its panels. */

import type { LAB_PANELS } from "../../model/view/view-options";

export const inspector = {
  inspecting: {
    tabs: "Panels of the lab",
    pointOut: "Point this out: the link leads here, and a class that follows you sees it marked",
    leftOut: (panel: string) =>
      `This file has no panel “${panel}”. Open the run with Lamplighter to see it.`,
    /** One sentence about each panel of the lab, displayed below the tabs and as the tab's tooltip. */
    about: {
      step: "What one training step read, which rows of the matrix it changed, and how strongly.",
      matrix:
        "All vectors in one picture: each row is a word, each column one of its numbers, each colour a value. Stripes are what words of a kind have in common.",
      run: "This run’s settings, speed and size.",
      map: "The neighbourhoods on the map, how it is drawn, and how reliable it is.",
      measures: "What has it learned? In numbers, step by step.",
      experiments: "What if? Measured on copies of this model; your run is not affected.",
      cost: "What training takes: energy, operations and memory, and what larger models take.",
      export: "An image or a video of the map, this page with the run in it, and the run as data.",
    } satisfies Record<(typeof LAB_PANELS)[number], string>,
  },
} as const;
