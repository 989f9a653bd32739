/** Whether a viewer follows the presenter's view or has left it. */

import type { ViewState } from "../../model/view/view-state";

export class Following {
  /** Set from this viewer's own choice of a view until the return to the presenter's. */
  strays = $state(false);

  constructor(private readonly view: () => ViewState) {}

  /** Return the whole view of this page. */
  get ownView(): ViewState {
    return this.view();
  }

  /** Record that this viewer has chosen a view. */
  leave = () => {
    this.strays = true;
  };

  /** Return to the presenter's view. */
  rejoin() {
    this.strays = false;
  }
}
