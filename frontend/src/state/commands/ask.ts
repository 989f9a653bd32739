/** Commands of the panel for questions to the model. */

import { textOf } from "../../api/vocabulary";
import type { ExperimentName } from "../../model/view/view-options";
import type { ViewChange } from "../../model/view/view-state";
import type { CommandScope } from "./scope";

export function askCommands({ apply, viewSettings, openRun, server }: CommandScope) {
  return {
    /** Adopt a question, or its draft: the words and the experiment's other settings. */
    takeAsked: (asked: ViewChange) => apply({ asked: null, ...asked }),
    /** Show the answer to a past question. */
    showAnswer: (asked: string) => apply({ asked }),
    toggleAsk: () => {
      if (server.answers)
        apply(viewSettings.panel === "ask" ? { folded: true } : { panel: "ask", folded: null });
    },
    /** Open the panel with these tokens as the words of a question; it is not sent yet. */
    askAbout: (ids: readonly number[]) => {
      const vocabulary = openRun.run?.vocabulary;
      if (vocabulary)
        apply({ panel: "ask", folded: null, say: textOf(ids, vocabulary), asked: null });
    },
    chooseExperiment: (ask: ExperimentName) => apply({ ask, asked: null }),
  };
}
