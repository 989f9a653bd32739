/** The viewer's settings for single tokens and for the matrix, all of them part of the URL. */

import type { ViewState } from "../../model/view-state";
import type { RowOrder } from "../../model/view-options";

export class DetailSettings {
  /** Token that the focused one is compared with. */
  comparedToken = $state<number | null>(null);
  /** Step whose neighbours are compared with the current ones. */
  comparedStep = $state(0);
  /** Order of the matrix's rows. */
  rowOrder = $state<RowOrder>("district");
  /** Step whose matrix is subtracted from the one shown; null: none. */
  subtractedStep = $state<number | null>(null);

  constructor(initialView: ViewState) {
    this.comparedToken = initialView.pair;
    this.comparedStep = initialView.then ?? 0;
    this.rowOrder = initialView.rows ?? "district";
    this.subtractedStep = initialView.against;
  }

  toViewState(): Partial<ViewState> {
    return {
      pair: this.comparedToken,
      then: this.comparedStep || null,
      rows: this.rowOrder === "district" ? null : this.rowOrder,
      against: this.subtractedStep,
    };
  }

  /** Reset what belongs to the previous run: its ids and steps mean nothing in another. */
  reset() {
    this.comparedToken = this.subtractedStep = null;
    this.comparedStep = 0;
  }
}
