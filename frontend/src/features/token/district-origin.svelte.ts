/** The step at which a district formed, and its names since then. */

import { ApiError } from "../../api/failure";
import { requestJson, runPath } from "../../api/rest";
import type { Answer } from "../../api/rest-types";
import { Query } from "../../state/query/query.svelte";

type DistrictsAnswer = Answer<"GET /api/runs/{run}/districts">;

interface Origin {
  step: number;
  /** The names found on the way, the earliest first. */
  names: string[];
}

export class DistrictOrigin extends Query<Origin> {
  constructor(private readonly run: string) {
    super();
  }

  /** Look for the origin of a district that exists at `step`; null: none. */
  search(id: number | null, step: number) {
    const fetch = (signal: AbortSignal) =>
      findOrigin(id!, step, (at) => this.fetchDistricts(at, signal));
    this.ask(id === null ? null : { key: String(id), subject: String(id), fetch });
  }

  private async fetchDistricts(step: number, signal: AbortSignal): Promise<DistrictsAnswer | null> {
    try {
      const path = runPath(this.run, `districts?step=${step}&format=json`);
      return await requestJson<DistrictsAnswer>(path, { signal });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  }
}

/**
 * Find the first step with district `id`, which exists at `step`, by binary search: a district exists at
 * every step from its first to its last. `districtsAt` returns the newest districts at or before a step; null
 * if there are none.
 */
export async function findOrigin(
  id: number,
  step: number,
  districtsAt: (step: number) => Promise<Pick<DistrictsAnswer, "step" | "items"> | null>,
): Promise<Origin> {
  const seen = new Map<number, string>();
  let [without, from] = [-1, step];
  while (from - without > 1) {
    const middle = Math.floor((without + from) / 2);
    const answer = await districtsAt(middle);
    const district = answer?.items.find((one) => one.id === id);
    if (answer && district) {
      from = answer.step;
      seen.set(from, district.name);
    } else without = middle;
  }
  const names = [...seen].sort(([a], [b]) => a - b).map(([, name]) => name);
  return { step: from, names: [...new Set(names)] };
}
