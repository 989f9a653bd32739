/** Commands of the class: leaving the presenter's view and rejoining it. */

import type { ViewChange } from "../../model/view/view-state";
import type { CommandScope } from "./scope";

export function classCommands({ apply, following, openRun, history }: CommandScope) {
  return {
    /** Adopt the presenter's view; it makes no history entry, and does not count as this viewer's choice. */
    followView(view: ViewChange) {
      history.goOn();
      apply(view);
    },
    /** Point at a token for the whole class, as an assistant; null: none. */
    pointAt(token: number | null) {
      void openRun.run?.requests.tryAssisting({ kind: "point", token });
    },
    /** Follow the presenter again. */
    rejoinPresenter: () => following.rejoin(),
  };
}
