/** The chosen token of a run: its row and its neighbours, asked for again while it learns. */

import { ask, Refusal, runPath, type Neighbours, type TokenDetail } from "../wire/rest";

const REFRESH = 2_000;
const NEIGHBOURS = 12;

export class Selection {
  token = $state<number | null>(null);
  detail = $state.raw<TokenDetail | null>(null);
  neighbours = $state.raw<Neighbours | null>(null);
  problem = $state<string | null>(null);

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
    this.refresh();
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
      if (this.detail === null || this.fresh()) {
        const [detail, neighbours] = await Promise.all([
          ask<TokenDetail>(runPath(this.run, `tokens/${token}`), { signal }),
          ask<Neighbours>(runPath(this.run, `neighbours?token_id=${token}&k=${NEIGHBOURS}`), {
            signal,
          }),
        ]);
        this.detail = detail;
        this.neighbours = neighbours;
        this.problem = null;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      this.problem = error.message;
    }
    this.timer = setTimeout(this.refresh, REFRESH);
  }
}
