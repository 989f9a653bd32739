/**
 * The similarity of the selected tokens' rows, measured by the server and requested again while
 * they learn.
 */

import { requestJson, runPath } from "../../api/rest";
import type { Pairs } from "../../api/rest-types";
import { ApiError, type Failure } from "../../api/failure";

/** Limit on the tokens whose pairs the server measures. */
export const MAX_MEASURED = 2_000;
const POLL_INTERVAL = 2_500;
/**
 * Debounce in ms: not every set is requested while tokens are added one by one, or steps pass
 * quickly.
 */
const DEBOUNCE = 150;

export class PairSimilarity {
  pairs = $state.raw<Pairs | null>(null);
  problem = $state.raw<Failure | null>(null);
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lastKey = "";

  /** Measure these tokens at a step, or at the newest one; repeatedly while `moving`. */
  measure(run: string, ids: readonly number[], step: number | null, moving: boolean) {
    this.close();
    const measured = ids.length >= 2 && ids.length <= MAX_MEASURED;
    const key = `${run} ${ids.join()}`;
    // Keep showing the previous step's values until the new ones arrive; each result carries its
    // step.
    if (key !== this.lastKey) this.pairs = this.problem = null;
    this.lastKey = key;
    if (!measured) return;
    const stepParameter = step === null ? "" : `&step=${step}`;
    const path = runPath(run, `pairs?token_ids=${ids.join(",")}${stepParameter}`);
    this.timer = setTimeout(() => void this.fetchPairs(path, moving), DEBOUNCE);
  }

  close() {
    this.abort?.abort();
    clearTimeout(this.timer);
  }

  private async fetchPairs(path: string, moving: boolean) {
    const { signal } = (this.abort = new AbortController());
    try {
      this.pairs = await requestJson<Pairs>(path, { signal });
      this.problem = null;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.problem = error.failure;
    }
    if (moving) this.timer = setTimeout(() => void this.fetchPairs(path, moving), POLL_INTERVAL);
  }
}
