/** Where a token went on the map, as points in the order of time. */

export interface Trail {
  id: number;
  steps: number[];
  /** Positions in map units, in order of time. */
  xs: number[];
  ys: number[];
}

/** A trail as the map draws it: of the steps only their order counts. */
export interface DrawnTrail extends Omit<Trail, "steps"> {
  /** True for the chosen token, or one selected with it; false for the biggest movers. */
  own: boolean;
}
