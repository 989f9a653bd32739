/** The presenter's requests to the trainer, until they are acknowledged. */

import { runPath, sendAssistantRequest, sendJson } from "../../api/rest";
import type { AssistantRequest, TrainerRequest } from "../../api/rest-types";
import { ApiError, type Failure } from "../../api/failure";

/** Maximum wait for an acknowledgement, in ms. */
const ACKNOWLEDGEMENT_TIMEOUT = 20_000;

export class Requests {
  /** Ids of unacknowledged requests. */
  pending = $state.raw<ReadonlySet<string>>(new Set());
  /** Why the last request was refused. */
  problem = $state.raw<Failure | null>(null);
  private readonly acknowledged = new Set<string>();

  constructor(private readonly run: string) {}

  /** Send a request to the trainer. Throws `ApiError`. */
  async sendRequest(what: TrainerRequest) {
    const { request } = await sendJson<"POST /api/runs/{run}/requests">(
      runPath(this.run, "requests"),
      what,
    );
    // The acknowledgement may have arrived before this response.
    if (this.acknowledged.delete(request)) return;
    this.pending = new Set([...this.pending, request]);
    setTimeout(() => this.remove(request), ACKNOWLEDGEMENT_TIMEOUT);
  }

  /** Send a request to the trainer; return whether it was accepted, and keep the reason if not. */
  trySending(what: TrainerRequest): Promise<boolean> {
    return this.attempt(this.sendRequest(what));
  }

  /** Send a request of a class assistant; return whether it was accepted, and keep the reason if not. */
  tryAssisting(what: Omit<AssistantRequest, "run">): Promise<boolean> {
    return this.attempt(sendAssistantRequest({ ...what, run: this.run }));
  }

  private async attempt(sending: Promise<unknown>): Promise<boolean> {
    this.problem = null;
    try {
      await sending;
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.problem = error.failure;
      return false;
    }
  }

  acknowledge(request: string) {
    if (!this.pending.has(request)) this.acknowledged.add(request);
    this.remove(request);
  }

  private remove(request: string) {
    this.pending = new Set([...this.pending].filter((other) => other !== request));
  }
}
