/** The viewer's settings for single tokens and for the matrix, all of them part of the view state. */

import type { Vocabulary } from "../../api/vocabulary";
import { tokenIdOf } from "../../model/token-reference";
import type { ViewChange } from "../../model/view/view-state";
import type { RowPlace, TextPlace } from "../../model/view/microscope-place";
import type { RowOrder } from "../../model/view/view-options";

export class DetailSettings {
  /** Token that the focused one is compared with. */
  comparedToken = $state<number | null>(null);
  /** Step whose neighbours are compared with the current ones. */
  comparedStep = $state(0);
  /** Order of the matrix's rows. */
  rowOrder = $state<RowOrder>("district");
  /** Step whose matrix is subtracted from the one shown; null: none. */
  subtractedStep = $state<number | null>(null);

  /** The number and the word under the microscope; null: chosen by the examiner or the page. */
  followedNumber = $state.raw<RowPlace | null>(null);
  readWord = $state.raw<TextPlace | null>(null);

  /** Number of the open claim on the board; null: the first. */
  claim = $state<number | null>(null);

  /** Text of the compared token that is not in the vocabulary, or not resolved yet. */
  private unresolved = $state<string | null>(null);

  toViewState(): ViewChange {
    return {
      pair: this.unresolved ?? this.comparedToken,
      then: this.comparedStep || null,
      rows: this.rowOrder === "district" ? null : this.rowOrder,
      against: this.subtractedStep,
      row: this.followedNumber,
      micro: this.readWord,
      claim: this.claim,
    };
  }

  applyView({ pair, then, rows, against, row, micro, claim }: ViewChange) {
    if (pair !== undefined) {
      this.unresolved = typeof pair === "string" ? pair : null;
      this.comparedToken = typeof pair === "number" ? pair : null;
    }
    if (then !== undefined) this.comparedStep = then ?? 0;
    if (rows !== undefined) this.rowOrder = rows ?? "district";
    if (against !== undefined) this.subtractedStep = against;
    if (row !== undefined) this.followedNumber = row;
    if (micro !== undefined) this.readWord = micro;
    if (claim !== undefined) this.claim = claim;
  }

  /** Resolve the compared token of a link, once the tokens are known. */
  resolvePending(vocabulary: Vocabulary) {
    const id = this.unresolved === null ? null : tokenIdOf(this.unresolved, vocabulary);
    if (id !== null) this.applyView({ pair: id });
  }
}
