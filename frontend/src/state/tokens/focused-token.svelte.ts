/**
 * The focused token of a run: its row and its neighbours at the step on display, requested repeatedly during
 * training.
 */

import type { Failure } from "../../api/failure";
import { requestJson, runPath } from "../../api/rest";
import type { Neighbours, TokenDetails } from "../../api/rest-types";
import { PolledQuery } from "../query/polled-query.svelte";
import type { Question } from "../query/query.svelte";

const NEIGHBOURS = 12;
/** Debounce in ms: during a scrub only the last step is requested. */
const DEBOUNCE = 120;

interface TokenAtStep {
  detail: TokenDetails;
  neighbours: Neighbours;
}

export class FocusedToken extends PolledQuery<TokenAtStep> {
  protected readonly pollInterval = 2_000;
  token = $state<number | null>(null);
  /** The past step on display; null: the newest. */
  private step: number | null = null;

  /** Start without a token. `newestStep` returns the newest step of a live run. */
  constructor(
    private readonly run: string,
    private readonly newestStep: () => number,
  ) {
    super();
  }

  get detail(): TokenDetails | null {
    return this.value?.detail ?? null;
  }

  get neighbours(): Neighbours | null {
    return this.value?.neighbours ?? null;
  }

  choose(token: number | null) {
    if (token === this.token) return;
    this.token = token;
    this.poll();
  }

  /** Reject a token that does not exist: focus none and keep the reason. */
  reject(problem: Failure) {
    this.choose(null);
    this.problem = problem;
  }

  /** Follow the step on display; null: the newest. */
  setStep(step: number | null) {
    if (step === this.step) return;
    this.step = step;
    this.poll(DEBOUNCE);
  }

  protected question(): Question<TokenAtStep> | null {
    const { run, token, step } = this;
    if (token === null) return null;
    const at = step === null ? "" : `step=${step}`;
    const fetch = async (signal: AbortSignal): Promise<TokenAtStep> => {
      const [detail, neighbours] = await Promise.all([
        requestJson<TokenDetails>(runPath(run, `tokens/${token}${at && `?${at}`}`), { signal }),
        requestJson<Neighbours>(
          runPath(run, `neighbours?token_id=${token}&k=${NEIGHBOURS}${at && `&${at}`}`),
          { signal },
        ),
      ]);
      return { detail, neighbours };
    };
    return { key: `${token} ${step ?? this.newestStep()}`, subject: String(token), fetch };
  }
}
