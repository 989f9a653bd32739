/** The chosen token of a run: its row and its neighbours at the step that is shown, asked for again while it learns. */

import { ask, Refusal, runPath, type Neighbours, type TokenDetail } from "../wire/rest";

const REFRESH = 2_000;
const NEIGHBOURS = 12;
/** Milliseconds after which a step is asked for: while somebody drags through the steps only the last one is. */
const SETTLE = 120;

export class Selection {
  token = $state<number | null>(null);
  detail = $state.raw<TokenDetail | null>(null);
  neighbours = $state.raw<Neighbours | null>(null);
  problem = $state<string | null>(null);

  /** The step of the past that is shown; null: the newest. */
  private at: number | null = null;
  private stale = true;
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `fresh` says whether the run has moved on since the last answer. */
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

  /** There is no such token: none is chosen, and why is said. */
  refuse(problem: string) {
    this.choose(null);
    this.problem = problem;
  }

  /** Another step is shown; null: the newest. The answer of before stays until there is one. */
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
      // `fresh` first: it also notes that the run was looked at. A step of the past stays as it is.
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
      this.problem = error.message;
    }
    this.timer = setTimeout(this.refresh, REFRESH);
  }
}
