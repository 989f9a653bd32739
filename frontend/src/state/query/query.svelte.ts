/**
 * A changing question to the server: debounced, sent once while it stays the same, and cancelled by the next
 * one. An older answer never replaces a newer one.
 */

import { untrack } from "svelte";
import { ApiError, failureOf, type Failure } from "../../api/failure";
import { requestJson } from "../../api/rest";

export interface Question<T> {
  /** Identity: a question with the same key is not sent again. Null: always sent. */
  key: string | null;
  /**
   * Subject of the answer. The last answer about the same subject stays until the next arrives; one
   * about another subject is dropped at once.
   */
  subject?: string;
  fetch: (signal: AbortSignal) => Promise<T>;
}

/**
 * Return the question for the JSON at `path`. `version` identifies the state of the data; a new version
 * requests the same path again.
 */
export function jsonQuestion<T>(path: string, subject = "", version = 0): Question<T> {
  return {
    key: `${path} ${version}`,
    subject,
    fetch: (signal) => requestJson<T>(path, { signal }),
  };
}

export class Query<T> {
  /** The last answer; null before the first one, and after a refusal. */
  value = $state.raw<T | null>(null);
  /** Why the last question has no answer. */
  problem = $state.raw<Failure | null>(null);
  loading = $state(false);

  /** Set from a question until it is answered, has failed, or is cancelled. */
  protected pending = false;
  /** Promise of the last request; it resolves even if that fails. */
  protected sending: Promise<void> | null = null;
  protected closed = false;
  private asked: Question<T> | null = null;
  /** Set if the last question failed, so that the next answer clears the problem. */
  private failed = false;
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Send `question`, and cancel the previous one; null sends nothing and drops the answer. `delay` is a
   * debounce in milliseconds: during a scrub only the last question is sent. A failed question may be asked
   * again.
   */
  ask(question: Question<T> | null, delay = 0) {
    if (this.closed || isSame(question, this.asked)) return;
    this.cancel();
    if (!question || question.subject !== this.asked?.subject) this.value = this.problem = null;
    this.asked = question;
    if (!question) return;
    this.pending = this.loading = true;
    // The effect that asks must not depend on what the request reads.
    const send = () => {
      this.sending = untrack(() => this.send(question));
    };
    if (delay) this.timer = setTimeout(send, delay);
    else send();
  }

  /** Cancel the question and keep the last answer. */
  close() {
    this.closed = true;
    this.cancel();
  }

  /** Continue after an answer or a failure that took `took` ms. */
  protected settled?(took: number): void;

  private cancel() {
    clearTimeout(this.timer);
    this.abort?.abort();
    this.pending = this.loading = false;
  }

  private async send(question: Question<T>) {
    const { signal } = (this.abort = new AbortController());
    const sentAt = performance.now();
    try {
      const value = await question.fetch(signal);
      if (signal.aborted) return;
      this.value = value;
      if (this.failed) this.problem = null;
      this.failed = false;
    } catch (error) {
      if (signal.aborted) return;
      this.problem = failureOf(error);
      // A refusal is an answer; while a server is silent, its last answer stays.
      if (error instanceof ApiError && error.refused) this.value = null;
      this.failed = true;
      this.asked = { ...question, key: null };
    }
    this.pending = this.loading = false;
    this.settled?.(performance.now() - sentAt);
  }
}

function isSame<T>(question: Question<T> | null, asked: Question<T> | null): boolean {
  if (!question || !asked) return question === asked;
  return question.key !== null && question.key === asked.key;
}
