/** Texts of the inspector around its panels. */

import type { PanelName } from "../model/view-options";

export const inspector = {
  inspecting: {
    tabs: "Panels of the lab",
    /** One sentence about each panel: shown beneath the tabs, and as the tooltip of its tab. */
    about: {
      token: "A word, and its neighbours: the words whose vectors point the same way.",
      district: "Words that the model put together, because it met them in like places.",
      gathered: "Words that you have put together, by hand or by rule, and how alike they are.",
      ask: "Words of yours, and how the model goes on with them.",
      microscope: "One training step, from its words to the change of one number.",
      step: "What one training step read, which rows of the matrix it changed, and how strongly.",
      matrix:
        "All vectors as one picture: a line is a word, a column one of its numbers, the colour the value. Stripes mean that words of a kind share numbers.",
      run: "What this run is made of, how fast it goes, and what it takes.",
      map: "How the map is drawn, and how reliable it is.",
      measures: "Does it know? What the model has learned, in numbers, step by step.",
      class: "Let others join, show them what you see, and ask them.",
      runs: "Open a run, or start another.",
      export: "A picture or a film of the map, a page that replays the run, and the run as files.",
    } satisfies Record<PanelName, string>,
  },
} as const;
