/** Commands of the board of claims. */

import type { Recipe } from "../../api/rest-types";
import { closeCovering } from "./microscope";
import type { CommandScope } from "./scope";

export function claimCommands({ apply, viewSettings, openRun, server, history }: CommandScope) {
  return {
    /** Open the board of claims, or close it. */
    toggleClaims() {
      if (viewSettings.panel === "claims") closeCovering({ apply, viewSettings });
      else if (openRun.run && !server.packed) {
        viewSettings.panelBefore = viewSettings.sidePanel;
        apply({ panel: "claims", folded: null });
      }
    },
    /** Open a claim on the board. */
    chooseClaim(claim: number) {
      history.goOn();
      apply({ claim });
    },
    /**
     * Start the control of a run: its recipe, with the words of each document shuffled. Return its id. Throws
     * `ApiError`.
     */
    async trainControl(recipe: Recipe): Promise<string> {
      const corpus = { ...recipe.corpus, shuffle_words: true };
      const { id } = await server.createRun({ ...recipe, corpus }, null);
      void server.poll();
      return id;
    },
  };
}
