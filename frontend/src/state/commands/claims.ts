/** Commands of the board of claims, and of the trainings of one recipe. */

import type { Recipe } from "../../api/rest-types";
import { closeCovering } from "./microscope";
import type { CommandScope } from "./scope";

export function claimCommands({ apply, viewSettings, openRun, server, history }: CommandScope) {
  function toggle(panel: "claims" | "seeds") {
    if (viewSettings.panel === panel) closeCovering({ apply, viewSettings });
    else if (openRun.run && !server.packed) {
      viewSettings.panelBefore = viewSettings.sidePanel;
      apply({ panel, folded: null });
    }
  }

  return {
    /** Open the board of claims, or close it. */
    toggleClaims: () => toggle("claims"),
    /** Open what the other trainings of this run's set show, or close it. */
    toggleSeeds: () => toggle("seeds"),
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
