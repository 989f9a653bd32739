/** Comparison of two optimisers' losses on frequent and rare words. Pure. */

import type { AnswerTo } from "../../../api/rest-types";

/** The final losses of both optimisers on one group of words. */
export interface OptimiserPair {
  sgd: number;
  adam: number;
}

/** Return the final losses on the most frequent and the rarest group; null where unknown. */
export function endsOf({
  optimisers,
}: AnswerTo<"deciles">): { frequent: OptimiserPair; rare: OptimiserPair } | null {
  const last = (name: "sgd" | "adam") =>
    optimisers.find((one) => one.name === name)?.curve.at(-1)?.losses;
  const [sgd, adam] = [last("sgd"), last("adam")];
  const known = (sgd ?? []).flatMap((loss, i) => {
    const other = adam?.[i];
    return loss === null || other === null || other === undefined
      ? []
      : [{ sgd: loss, adam: other }];
  });
  return known.length < 2 ? null : { frequent: known[0]!, rare: known.at(-1)! };
}

/** Return whether plain descent is behind on rare words, and further behind than on frequent ones. */
export function leavesRareWords({
  frequent,
  rare,
}: {
  frequent: OptimiserPair;
  rare: OptimiserPair;
}) {
  return rare.sgd > rare.adam && rare.sgd - rare.adam > frequent.sgd - frequent.adam;
}
