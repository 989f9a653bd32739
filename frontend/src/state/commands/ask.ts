/** Commands of the place where one asks the model. */

import { textOf } from "../../api/vocabulary";
import type { ExperimentName } from "../../model/view-options";
import type { CommandScope } from "./scope";

export function askCommands({ apply, viewSettings, openRun }: CommandScope) {
  return {
    toggleAsk: () =>
      apply(viewSettings.panel === "ask" ? { folded: true } : { panel: "ask", folded: null }),
    /** Open the place with these tokens as the words to ask about; nothing is asked yet. */
    askAbout: (ids: readonly number[]) => {
      const vocabulary = openRun.run?.vocabulary;
      if (vocabulary) apply({ panel: "ask", folded: null, say: textOf(ids, vocabulary) });
    },
    chooseExperiment: (ask: ExperimentName) => apply({ ask }),
    /** Take words to ask about; none if there are only spaces. */
    setPrompt: (say: string) => apply({ say: say.trim() ? say : null }),
  };
}
