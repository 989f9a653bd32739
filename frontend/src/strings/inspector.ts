/** Texts of the inspector around its panels. */

import type { PanelName } from "../model/view-options";

export const inspector = {
  inspecting: {
    tabs: "Panels",
    look: "Look",
    run: "Run",
    files: "Files",
    /** One sentence about each panel: shown beneath the tabs, and as the tooltip of its tab. */
    about: {
      token:
        "One row of the embedding matrix: its neighbours are the rows that point the same way.",
      gathered:
        "Tokens put together by hand or by rule: how alike their rows of the embedding are, and how many of them a step lights.",
      step: "What one training step read, which rows it woke, and how strongly.",
      matrix:
        "The whole embedding as a picture: a line is a token's row, a column one of its numbers, the colour its value.",
      run: "What this run is made of, how fast it goes, and what it takes: from its recipe and its record.",
      map: "The districts of the map, which are clusters of the space, and how the map is drawn.",
      measures:
        "What the embedding has learned, in numbers, computed from the record step by step.",
      runs: "Every run is a folder: open one, or start another.",
      export: "What is on the map, as a picture or a film, and the run as a file.",
    } satisfies Record<PanelName, string>,
  },
} as const;
