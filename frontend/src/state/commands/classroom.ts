/** Commands of the class: the way of a viewer after the presenter and back. */

import type { ViewChange } from "../../model/view/view-state";
import type { CommandScope } from "./scope";

export function classCommands({ apply, following, openRun, history }: CommandScope) {
  return {
    /** Take over the presenter's view; it makes no entry, and is nothing that this viewer chose. */
    followView(view: ViewChange) {
      history.goOn();
      apply(view);
    },
    /** Point at a token for the whole class, as an assistant; null: at none. */
    pointAt(token: number | null) {
      void openRun.run?.requests.tryAssisting({ kind: "point", token });
    },
    /** Follow the presenter again. */
    rejoinPresenter: () => following.rejoin(),
  };
}
