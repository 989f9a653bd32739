/** Commands of the class: the presenter's panel, and the way of a viewer after the presenter and back. */

import type { ViewChange } from "../../model/view-state";
import type { CommandScope } from "./scope";

export function classCommands({
  apply,
  viewSettings,
  server,
  following,
  openRun,
  history,
}: CommandScope) {
  return {
    /** Open the presenter's panel of the class, or close it. */
    toggleClass() {
      if (!server.presenter) return false;
      apply(viewSettings.panel === "class" ? { folded: true } : { panel: "class", folded: null });
      return true;
    },
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
