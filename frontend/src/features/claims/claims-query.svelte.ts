/** The board of claims of one run, polled while it is open. */

import { runPath } from "../../api/rest";
import type { ClaimBoard, ClaimQuestion, ExaminationQuestion } from "../../api/rest-types";
import { PolledQuery } from "../../state/query/polled-query.svelte";
import { jsonQuestion } from "../../state/query/query.svelte";
import { SvelteSet } from "svelte/reactivity";
import type { Questions } from "../../state/questions/questions.svelte";
import { nextQuestion } from "./next-question";

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

export class Preparation {
  /** True when no more questions are asked automatically. */
  stopped = $state(false);
  private readonly tried = new SvelteSet<string>();

  constructor(private readonly questions: Questions<unknown>) {}

  /** Ask the next question, unless one is being answered. `displayed`: the displayed step. */
  async goOn(wanted: readonly ClaimQuestion[], displayed: number) {
    const { questions } = this;
    if (this.stopped || questions.sending || questions.problem) return;
    const next = nextQuestion(wanted, questions.items, this.tried);
    if (!next) return;
    this.tried.add(next.id);
    await this.ask({ ...next.question, background: true }, displayed);
  }

  /** Ask a question of a claim. Return the id of its examination; null if the server refused it. */
  async ask(question: object, displayed: number): Promise<string | null> {
    await this.questions.ask(question as ExaminationQuestion, displayed);
    return this.questions.problem === null ? (this.questions.asked?.id ?? null) : null;
  }

  /** Stop asking automatically, and cancel the question being answered. */
  async stop(open: string) {
    this.stopped = true;
    await this.questions.cancel(open);
  }

  /** Resume, including the questions that were stopped. */
  goOnAgain() {
    this.stopped = false;
    this.tried.clear();
    this.questions.forgetProblem();
  }
}
