/** Commands of the place where one asks the model. */

import { textOf } from "../../api/vocabulary";
import type { ExperimentName } from "../../model/view/view-options";
import type { ViewChange } from "../../model/view/view-state";
import type { CommandScope } from "./scope";

export function askCommands({ apply, viewSettings, openRun, server }: CommandScope) {
  return {
    /** Take what was asked, or is to be: the words and all that the experiment needs besides. */
    takeAsked: (asked: ViewChange) => apply({ asked: null, ...asked }),
    /** Show the answer to a question that was asked. */
    showAnswer: (asked: string) => apply({ asked }),
    toggleAsk: () => {
      if (server.answers)
        apply(viewSettings.panel === "ask" ? { folded: true } : { panel: "ask", folded: null });
    },
    /** Open the place with these tokens as the words to ask about; nothing is asked yet. */
    askAbout: (ids: readonly number[]) => {
      const vocabulary = openRun.run?.vocabulary;
      if (vocabulary)
        apply({ panel: "ask", folded: null, say: textOf(ids, vocabulary), asked: null });
    },
    chooseExperiment: (ask: ExperimentName) => apply({ ask, asked: null }),
  };
}
