/**
 * The focused token of a run: its row and its neighbours at the step shown, requested again while
 * it learns.
 */

import { requestJson, runPath } from "../../api/rest";
import type { Neighbours, TokenDetail } from "../../api/rest-types";
import { ApiError, type Failure } from "../../api/failure";

const REFRESH = 2_000;
const NEIGHBOURS = 12;
/** Debounce in ms: during a scrub only the last step is requested. */
const DEBOUNCE = 120;

export class FocusedToken {
  token = $state<number | null>(null);
  detail = $state.raw<TokenDetail | null>(null);
  neighbours = $state.raw<Neighbours | null>(null);
  problem = $state.raw<Failure | null>(null);

  /** The past step shown; null: the newest. */
  private step: number | null = null;
  private stale = true;
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Start without a token. `hasAdvanced` returns whether the run has moved on since its last call.
   */
  constructor(
    private readonly run: string,
    private readonly hasAdvanced: () => boolean,
  ) {}

  choose(token: number | null) {
    if (token === this.token) return;
    this.token = token;
    this.detail = this.neighbours = this.problem = null;
    this.stale = true;
    this.refresh();
  }

  /** Reject a token that does not exist: focus none and keep the reason. */
  reject(problem: Failure) {
    this.choose(null);
    this.problem = problem;
  }

  /**
   * Follow the step shown; null: the newest. The previous answer stays until the new one arrives.
   */
  setStep(step: number | null) {
    if (step === this.step) return;
    this.step = step;
    this.stale = true;
    this.close();
    if (this.token !== null) this.timer = setTimeout(this.refresh, DEBOUNCE);
  }

  close() {
    this.abort?.abort();
    clearTimeout(this.timer);
  }

  private refresh = () => {
    this.close();
    if (this.token !== null) void this.fetchDetail(this.token);
  };

  private async fetchDetail(token: number) {
    const abort = (this.abort = new AbortController());
    const { signal } = abort;
    try {
      // Call `hasAdvanced` first, for its side effect: it notes the step. A past step never
      // changes.
      if ((this.step === null && this.hasAdvanced()) || this.stale) {
        const step = this.step === null ? "" : `step=${this.step}`;
        const [detail, neighbours] = await Promise.all([
          requestJson<TokenDetail>(runPath(this.run, `tokens/${token}${step && `?${step}`}`), {
            signal,
          }),
          requestJson<Neighbours>(
            runPath(this.run, `neighbours?token_id=${token}&k=${NEIGHBOURS}${step && `&${step}`}`),
            { signal },
          ),
        ]);
        this.detail = detail;
        this.neighbours = neighbours;
        this.problem = null;
        this.stale = false;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.problem = error.failure;
    }
    this.timer = setTimeout(this.refresh, REFRESH);
  }
}
