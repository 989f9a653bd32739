/** Commands of the panel for questions to the model. */

import { textOf } from "../../api/vocabulary";
import type { ExperimentName } from "../../model/view/view-options";
import type { ViewChange } from "../../model/view/view-state";
import type { CommandScope } from "./scope";

export function askCommands({ apply, viewSettings, openRun, server }: CommandScope) {
  const askModel = (ask: "speak" | "what_if", say: string) => {
    viewSettings.asked.unsent = server.presenter;
    apply({ panel: "ask", folded: null, asked: null, ask, say, times: null, after: null });
  };
  return {
    /** Ask the model outside its panel, which opens and sends the question. */
    askModel,
    /** Record that the panel sends that question. */
    takeUnsent() {
      viewSettings.asked.unsent = false;
    },
    /** Adopt a question, or its draft: the words and the experiment's other settings. */
    takeAsked: (asked: ViewChange) => apply({ asked: null, ...asked }),
    /** Show the answer to a past question. */
    showAnswer: (asked: string) => apply({ asked }),
    toggleAsk: () => {
      if (server.answers)
        apply(viewSettings.panel === "ask" ? { folded: true } : { panel: "ask", folded: null });
    },
    /** Let the model continue these tokens. */
    askAbout: (ids: readonly number[]) => {
      const vocabulary = openRun.run?.vocabulary;
      if (vocabulary) askModel("speak", textOf(ids, vocabulary));
    },
    /** Ask how a head looks at a sentence at a step: its layer and its number there, from 1, as `2.3`. */
    lookAtHead: (head: string, say: string, at: number) => {
      viewSettings.asked.unsent = server.presenter;
      apply({
        ...{ panel: "ask", folded: null, asked: null, ask: "probe", say, head, at },
        ...{ second: null, other: null },
      });
    },
    chooseHead: (head: string) => apply({ head }),
    chooseExperiment: (ask: ExperimentName) => apply({ ask, asked: null }),
  };
}
