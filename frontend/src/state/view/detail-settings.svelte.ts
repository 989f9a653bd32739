/** The viewer's settings for single tokens and for the matrix, all of them part of the URL. */

import type { Address } from "../../model/view-state";
import type { RowOrder } from "../../model/view-options";

export class Details {
  /** Token that the focused one is compared with. */
  pair = $state<number | null>(null);
  /** Step whose neighbours are compared with the current ones. */
  then = $state(0);
  /** Order of the matrix's rows. */
  rows = $state<RowOrder>("district");
  /** Step whose matrix is subtracted from the one shown; null: none. */
  against = $state<number | null>(null);

  constructor(wish: Address) {
    this.pair = wish.pair;
    this.then = wish.then ?? 0;
    this.rows = wish.rows ?? "district";
    this.against = wish.against;
  }

  address(): Partial<Address> {
    return {
      pair: this.pair,
      then: this.then || null,
      rows: this.rows === "district" ? null : this.rows,
      against: this.against,
    };
  }

  /** Reset what belongs to the previous run: its ids and steps mean nothing in another. */
  forget() {
    this.pair = this.against = null;
    this.then = 0;
  }
}
