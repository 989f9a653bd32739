/**
 * The focused token of a run: its row and its neighbours at the step shown, requested again while
 * it learns.
 */

import { ask, runPath, type Neighbours, type TokenDetail } from "../../api/rest";
import { Refusal, type Failure } from "../../api/failure";

const REFRESH = 2_000;
const NEIGHBOURS = 12;
/** Debounce in ms: during a scrub only the last step is requested. */
const SETTLE = 120;

export class Selection {
  token = $state<number | null>(null);
  detail = $state.raw<TokenDetail | null>(null);
  neighbours = $state.raw<Neighbours | null>(null);
  problem = $state.raw<Failure | null>(null);

  /** The past step shown; null: the newest. */
  private at: number | null = null;
  private stale = true;
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Start without a token. `hasAdvanced` returns whether the run has moved on since its last call.
   */
  constructor(
    private readonly run: string,
    private readonly fresh: () => boolean,
  ) {}

  choose(token: number | null) {
    if (token === this.token) return;
    this.token = token;
    this.detail = this.neighbours = this.problem = null;
    this.stale = true;
    this.refresh();
  }

  /** Reject a token that does not exist: focus none and keep the reason. */
  refuse(problem: Failure) {
    this.choose(null);
    this.problem = problem;
  }

  /**
   * Follow the step shown; null: the newest. The previous answer stays until the new one arrives.
   */
  show(at: number | null) {
    if (at === this.at) return;
    this.at = at;
    this.stale = true;
    this.close();
    if (this.token !== null) this.timer = setTimeout(this.refresh, SETTLE);
  }

  close() {
    this.abort?.abort();
    clearTimeout(this.timer);
  }

  private refresh = () => {
    this.close();
    if (this.token !== null) void this.fetch(this.token);
  };

  private async fetch(token: number) {
    const abort = (this.abort = new AbortController());
    const { signal } = abort;
    try {
      // Call `hasAdvanced` first, for its side effect: it notes the step. A past step never
      // changes.
      if ((this.at === null && this.fresh()) || this.stale) {
        const step = this.at === null ? "" : `step=${this.at}`;
        const [detail, neighbours] = await Promise.all([
          ask<TokenDetail>(runPath(this.run, `tokens/${token}${step && `?${step}`}`), { signal }),
          ask<Neighbours>(
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
      if (!(error instanceof Refusal)) throw error;
      this.problem = error.failure;
    }
    this.timer = setTimeout(this.refresh, REFRESH);
  }
}
