/** The types of a trail: the path of one token on the map. */

export interface TokenTrail {
  id: number;
  steps: number[];
  /** Positions in map units, in order of time. */
  xs: number[];
  ys: number[];
}

/** A trail as the map draws it, without steps. */
export interface DrawnTrail extends Omit<TokenTrail, "steps"> {
  /** True for the chosen token, or one selected with it; false for the biggest movers. */
  own: boolean;
}
