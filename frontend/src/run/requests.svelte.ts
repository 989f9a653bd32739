/** What the presenter asked the trainer for, until it is acknowledged. */

import { runPath, send, type Ask } from "../wire/rest";

/** How long an acknowledgement is waited for, in ms. */
const PATIENCE = 20_000;

export class Requests {
  /** Not yet acknowledged. */
  asked = $state.raw<ReadonlySet<string>>(new Set());
  private readonly acknowledged = new Set<string>();

  constructor(private readonly run: string) {}

  /** Ask for something; throws `Refusal`. */
  async ask(what: Ask) {
    const { request } = await send<{ request: string }>(runPath(this.run, "requests"), what);
    // The acknowledgement may have come before this answer.
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
