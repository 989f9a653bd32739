/** The difference between a token's neighbours at two steps. Pure. */

import type { Neighbours } from "../../api/rest-types";

interface NeighbourDiff {
  /** Ids that are neighbours now but were not then; null where the earlier ones are not known. */
  added: Set<number> | null;
  /** Neighbours then that are no longer neighbours now. */
  removed: Neighbours["items"];
}

export function diffNeighbours(now: Neighbours | null, then: Neighbours | null): NeighbourDiff {
  if (!now || !then) return { added: null, removed: [] };
  const before = new Set(then.items.map(({ token_id }) => token_id));
  const here = new Set(now.items.map(({ token_id }) => token_id));
  return {
    added: new Set([...here].filter((id) => !before.has(id))),
    removed: then.items.filter(({ token_id }) => !here.has(token_id)),
  };
}

/**
 * Return the index of the last of the ascending `steps` at or before `step`; -1 if there is none.
 */
export function lastIndexAtOrBefore(steps: number[], step: number | null): number {
  if (step === null) return steps.length - 1;
  return steps.findLastIndex((one) => one <= step);
}
