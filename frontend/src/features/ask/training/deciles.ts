/** Losses of two optimisers on frequent and on rare words. Pure. */

import type { AnswerTo } from "../../../api/rest-types";

/** The losses of both optimisers at the end, on a group of words. */
export interface OptimiserPair {
  sgd: number;
  adam: number;
}

/** Return the losses at the end on the most frequent and on the rarest group; null where one is not known. */
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

/** Return whether plain descent is behind on rare words, and more so than on frequent ones. */
export function leavesRareWords({
  frequent,
  rare,
}: {
  frequent: OptimiserPair;
  rare: OptimiserPair;
}) {
  return rare.sgd > rare.adam && rare.sgd - rare.adam > frequent.sgd - frequent.adam;
}
