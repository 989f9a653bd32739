/** The way of a viewer after the presenter's view, or alone. */

import type { ViewState } from "../../model/view/view-state";

export class Following {
  /** Set from a view that this viewer chose until the way back to the presenter's. */
  strays = $state(false);

  constructor(private readonly view: () => ViewState) {}

  /** Return the whole view of this page. */
  get ownView(): ViewState {
    return this.view();
  }

  /** Note that this viewer has chosen a view. */
  leave = () => {
    this.strays = true;
  };

  /** Go back to the presenter's view. */
  rejoin() {
    this.strays = false;
  }
}
