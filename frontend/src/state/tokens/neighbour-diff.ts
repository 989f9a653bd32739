/** The difference between a token's neighbours at two steps. Pure. */

import type { Neighbours } from "../../api/rest";

export interface Company {
  /** Ids that are neighbours now but were not then; null where the earlier ones are not known. */
  came: Set<number> | null;
  /** Neighbours then that are no longer neighbours now. */
  went: Neighbours["items"];
}

export function company(now: Neighbours | null, then: Neighbours | null): Company {
  if (!now || !then) return { came: null, went: [] };
  const before = new Set(then.items.map(({ token_id }) => token_id));
  const here = new Set(now.items.map(({ token_id }) => token_id));
  return {
    came: new Set([...here].filter((id) => !before.has(id))),
    went: then.items.filter(({ token_id }) => !here.has(token_id)),
  };
}

/**
 * Return the index of the last of the ascending `steps` at or before `step`; -1 if there is none.
 */
export function placeOf(steps: number[], step: number | null): number {
  if (step === null) return steps.length - 1;
  return steps.findLastIndex((one) => one <= step);
}
