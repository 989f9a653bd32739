/** What the inspector says around its panels. */

import type { PanelName } from "../run/address";

export const inspector = {
  inspecting: {
    tabs: "Panels",
    look: "Look",
    run: "Run",
    files: "Files",
    about: {
      token: "One row of the embedding",
      gathered: "Several tokens together: how alike their rows are",
      step: "What one training step read and moved",
      matrix: "The whole embedding as a picture",
      run: "Recipe, sizes and speed of this run",
      map: "How the map is drawn, and its districts",
      measures: "What can be computed from the record",
      runs: "All runs of this folder, and a new one",
      export: "The run as a file",
    } satisfies Record<PanelName, string>,
  },
} as const;
