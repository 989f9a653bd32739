/** The presenter's requests to the trainer, until they are acknowledged. */

import { runPath, send, type Ask } from "../../api/rest";

/** How long to wait for an acknowledgement, in ms. */
const PATIENCE = 20_000;

export class Requests {
  /** Ids of the requests not yet acknowledged. */
  asked = $state.raw<ReadonlySet<string>>(new Set());
  private readonly acknowledged = new Set<string>();

  constructor(private readonly run: string) {}

  /** Send a request to the trainer. Throws `ApiError`. */
  async ask(what: Ask) {
    const { request } = await send<{ request: string }>(runPath(this.run, "requests"), what);
    // The acknowledgement may have arrived before this response.
    if (this.acknowledged.delete(request)) return;
    this.asked = new Set([...this.asked, request]);
    setTimeout(() => this.forget(request), PATIENCE);
  }

  acknowledge(request: string) {
    if (!this.asked.has(request)) this.acknowledged.add(request);
    this.forget(request);
  }

  private forget(request: string) {
    this.asked = new Set([...this.asked].filter((other) => other !== request));
  }
}
