/** The board of claims of one run, polled while it is open. */

import { runPath } from "../../api/rest";
import type { ClaimBoard } from "../../api/rest-types";
import { PolledQuery } from "../../state/query/polled-query.svelte";
import { jsonQuestion } from "../../state/query/query.svelte";

/** Poll intervals in ms: for the presenter, and for viewers, of whom there may be five hundred. */
const PRESENTERS_PAUSE = 4_000;
const VIEWERS_PAUSE = 15_000;

export class ClaimsQuery extends PolledQuery<ClaimBoard> {
  protected readonly pollInterval: number;

  constructor(
    private readonly run: string,
    presenter: boolean,
  ) {
    super();
    this.pollInterval = presenter ? PRESENTERS_PAUSE : VIEWERS_PAUSE;
  }

  protected question() {
    // Always sent: the server answers whether anything has changed.
    return { ...jsonQuestion<ClaimBoard>(runPath(this.run, "claims"), this.run), key: null };
  }
}
