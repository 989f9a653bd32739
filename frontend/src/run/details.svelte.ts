/** How this viewer looks at single tokens and at the matrix. All of it stands in the address. */

import type { Address, RowOrder } from "./address";

export class Details {
  /** The token that the chosen one is compared with. */
  pair = $state<number | null>(null);
  /** The step whose neighbours are compared with those of now. */
  then = $state(0);
  /** How the matrix's rows are ordered. */
  rows = $state<RowOrder>("district");
  /** The step whose matrix is taken away from the one that is shown; null: none is. */
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

  /** Another run: ids and steps of the last one say nothing of it. */
  forget() {
    this.pair = this.against = null;
    this.then = 0;
  }
}
