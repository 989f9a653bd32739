/**
 * The questions to the model of one run, from all viewers, and their answers of one kind; sends new
 * questions.
 */

import { SvelteMap } from "svelte/reactivity";
import { ApiError, failureOf, type Failure } from "../../api/failure";
import { requestJson, runPath } from "../../api/rest";
import type { Answer, AnswerTo, Examination, ExaminationQuestion } from "../../api/rest-types";
import type { LiveRun } from "../run/live-run.svelte";
import { withExamination, type Asked } from "./examinations";

export class Questions<Answered = AnswerTo<"speak">> {
  /** All questions, the latest last. */
  items = $state.raw<Examination[]>([]);
  /** The loaded answers, by the question's id; null: unreadable. */
  readonly answers = new SvelteMap<string, Answered | null>();
  /** True once the list has loaded. */
  listed = $state(false);
  /** The question last asked or opened on this page; null: none. */
  asked = $state.raw<Asked | null>(null);
  /** Id of the opened question, independent of the current one; null: none. */
  private openedId = $state<string | null>(null);
  readonly opened = $derived.by(() => this.items.find(({ id }) => id === this.openedId) ?? null);
  /** Why the last question was refused. */
  problem = $state.raw<Failure | null>(null);
  /** Set while a question is being sent. */
  sending = $state(false);
  /** The question that needs confirmation; null: none. */
  private refused: { question: ExaminationQuestion; displayed: number } | null = null;
  private readonly fetching = new Set<string>();
  private readonly abort = new AbortController();

  private readonly hear = (one: Examination) => {
    this.items = withExamination(this.items, one);
  };

  constructor(private readonly run: LiveRun) {
    run.examined.add(this.hear);
  }

  /** Fetch the list: at first, and whenever messages may have been missed. */
  async list() {
    const before = this.items;
    try {
      const { items } = await this.request<Answer<"GET /api/runs/{run}/examinations">>();
      this.items = this.changedSince(before).reduce(withExamination, items);
      this.listed = true;
      // A server that lists its questions is no longer silent.
      if (this.problem?.code === "silent") this.forgetProblem();
    } catch (error) {
      if (!this.abort.signal.aborted) this.problem = failureOf(error);
    }
  }

  /** Ask a question. `displayed`: the step on the screen. */
  async ask(question: ExaminationQuestion, displayed: number, confirmed = false) {
    this.forgetProblem();
    this.sending = true;
    const before = this.items;
    try {
      const one = await this.request<Examination>("", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ ...question, ...(confirmed && { confirmed }) }),
      });
      this.asked = { id: one.id, displayed };
      if (!this.changedSince(before).some(({ id }) => id === one.id))
        this.items = withExamination(this.items, one);
    } catch (error) {
      if (this.abort.signal.aborted) return;
      this.problem = failureOf(error);
      if (this.problem.code === "unconfirmed") this.refused = { question, displayed };
    } finally {
      this.sending = false;
    }
  }

  /** Open an earlier question, or none. `displayed`: the step on the screen. */
  openAnswer(id: string | null, displayed: number) {
    this.openedId = id;
    if (id !== null && this.asked?.id !== id) this.asked = { id, displayed };
  }

  forgetProblem() {
    this.problem = this.refused = null;
  }

  /** Send the question again, confirmed. */
  async confirm() {
    const { refused } = this;
    if (refused) await this.ask(refused.question, refused.displayed, true);
  }

  /** Cancel a question. */
  async cancel(id: string) {
    try {
      await this.request(id, { method: "DELETE" });
    } catch (error) {
      if (!this.abort.signal.aborted) this.problem = failureOf(error);
    }
  }

  /** Fetch the answer of a question, unless it is loaded or not available yet. */
  async want({ id, state }: Examination) {
    if (state !== "done" || this.answers.has(id) || this.fetching.has(id)) return;
    this.fetching.add(id);
    try {
      const { answer } =
        await this.request<Answer<"GET /api/runs/{run}/examinations/{examination}">>(id);
      this.answers.set(id, answer as Answered | null);
    } catch (error) {
      // A cancelled question has no answer; a silent server is asked again.
      if (this.abort.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      if (error.refused) return;
    }
    this.fetching.delete(id);
  }

  close() {
    this.abort.abort();
    this.run.examined.delete(this.hear);
  }

  /**
   * Return the changes from messages since `before`: they may arrive before the response to a request, and
   * are then newer.
   */
  private changedSince(before: readonly Examination[]): Examination[] {
    return this.items.filter((one) => !before.includes(one));
  }

  private request<T>(rest = "", init: RequestInit = {}): Promise<T> {
    const path = runPath(this.run.id, `examinations${rest && `/${rest}`}`);
    return requestJson<T>(path, { ...init, signal: this.abort.signal });
  }
}
