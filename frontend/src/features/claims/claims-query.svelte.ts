/** The board of claims of one run, polled while it is open. */

import { runPath } from "../../api/rest";
import type { ClaimBoard } from "../../api/rest-types";
import { PolledQuery } from "../../state/query/polled-query.svelte";
import { jsonQuestion } from "../../state/query/query.svelte";

/** Poll intervals in ms: for the presenter, and for viewers, of whom there may be five hundred. */
const PRESENTER_POLL_INTERVAL = 4_000;
const VIEWER_POLL_INTERVAL = 15_000;

export class ClaimsQuery extends PolledQuery<ClaimBoard> {
  protected readonly pollInterval: number;

  constructor(
    private readonly run: string,
    presenter: boolean,
  ) {
    super();
    this.pollInterval = presenter ? PRESENTER_POLL_INTERVAL : VIEWER_POLL_INTERVAL;
  }

  protected question() {
    // Always sent: the server answers whether anything has changed.
    return { ...jsonQuestion<ClaimBoard>(runPath(this.run, "claims"), this.run), key: null };
  }
}
