/**
 * The similarity of the selected tokens' rows, measured by the server and requested again while
 * they learn.
 */

import { ask, runPath, type Pairs } from "../../api/rest";
import { Refusal, type Failure } from "../../api/failure";

/** Limit on the tokens whose pairs the server measures. */
export const MOST_MEASURED = 2_000;
const AGAIN = 2_500;
/**
 * Debounce in ms: not every set is requested while tokens are added one by one, or steps pass
 * quickly.
 */
const SETTLED = 150;

export class Likeness {
  pairs = $state.raw<Pairs | null>(null);
  problem = $state.raw<Failure | null>(null);
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asked = "";

  /** Measure these tokens at a step, or at the newest one; repeatedly while `moving`. */
  of(run: string, ids: readonly number[], step: number | null, moving: boolean) {
    this.close();
    const few = ids.length >= 2 && ids.length <= MOST_MEASURED;
    const asked = `${run} ${ids.join()}`;
    // Keep showing the previous step's values until the new ones arrive; each result carries its
    // step.
    if (asked !== this.asked) this.pairs = this.problem = null;
    this.asked = asked;
    if (!few) return;
    const at = step === null ? "" : `&step=${step}`;
    const path = runPath(run, `pairs?token_ids=${ids.join(",")}${at}`);
    this.timer = setTimeout(() => void this.fetch(path, moving), SETTLED);
  }

  close() {
    this.abort?.abort();
    clearTimeout(this.timer);
  }

  private async fetch(path: string, moving: boolean) {
    const { signal } = (this.abort = new AbortController());
    try {
      this.pairs = await ask<Pairs>(path, { signal });
      this.problem = null;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      this.problem = error.failure;
    }
    if (moving) this.timer = setTimeout(() => void this.fetch(path, moving), AGAIN);
  }
}
