/** The similarity of the selected tokens' rows, measured by the server repeatedly during training. */

import { runPath } from "../../api/rest";
import type { Pairs } from "../../api/rest-types";
import { PolledQuery } from "../query/polled-query.svelte";
import { jsonQuestion, type Question } from "../query/query.svelte";

/** Limit on the tokens whose pairs the server measures. */
export const MAX_MEASURED = 2_000;
/** Debounce in ms: not every set is requested while tokens are added one by one, or steps pass quickly. */
const DEBOUNCE = 150;

export class PairSimilarity extends PolledQuery<Pairs> {
  protected readonly pollInterval = 2_500;
  private measured: Question<Pairs> | null = null;

  /** Measure these tokens at a step, or at the newest one (null); repeatedly while `moving`. */
  measure(run: string, ids: readonly number[], step: number | null, moving: boolean) {
    const at = step === null ? "" : `&step=${step}`;
    const question = jsonQuestion<Pairs>(
      runPath(run, `pairs?token_ids=${ids.join(",")}${at}`),
      `${run} ${ids.join()}`,
    );
    this.measured = null;
    if (ids.length >= 2 && ids.length <= MAX_MEASURED)
      this.measured = moving ? { ...question, key: null } : question;
    this.poll(DEBOUNCE);
  }

  protected question() {
    return this.measured;
  }
}
