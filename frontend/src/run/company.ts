/** Neighbours then and now: who stayed, who came, who went. Pure. */

import type { Neighbours } from "../wire/rest";

export interface Company {
  /** Ids of those of now that were not there then; null where then is not known. */
  came: Set<number> | null;
  /** Those of then that are not there now. */
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

/** The place of the newest of ascending steps at or before `step`; -1 where there is none. */
export function placeOf(steps: number[], step: number | null): number {
  if (step === null) return steps.length - 1;
  return steps.findLastIndex((one) => one <= step);
}
