/** The asking of what the board waits for, one question after the other, until somebody stops it. */

import { SvelteSet } from "svelte/reactivity";
import type { ClaimQuestion, ExaminationQuestion } from "../../api/rest-types";
import type { Questions } from "../../state/questions/questions.svelte";
import { nextQuestion } from "./next-question";

export class Preparation {
  /** Set once nothing more is to be asked by itself. */
  stopped = $state(false);
  private readonly tried = new SvelteSet<string>();

  constructor(private readonly questions: Questions<unknown>) {}

  /** Ask the next question, unless one is being answered. `displayed`: the step on the screen. */
  async goOn(wanted: readonly ClaimQuestion[], displayed: number) {
    const { questions } = this;
    if (this.stopped || questions.sending || questions.problem) return;
    const next = nextQuestion(wanted, questions.items, this.tried);
    if (!next) return;
    this.tried.add(next.id);
    await this.ask(next.question, displayed);
  }

  /** Ask a question of a claim. Return the id of its examination; null where it was not taken. */
  async ask(question: object, displayed: number): Promise<string | null> {
    await this.questions.ask(question as ExaminationQuestion, displayed);
    return this.questions.problem === null ? (this.questions.asked?.id ?? null) : null;
  }

  /** Ask nothing more by itself, and take back what is being answered. */
  async stop(open: string) {
    this.stopped = true;
    await this.questions.cancel(open);
  }

  /** Ask on, also what was stopped. */
  goOnAgain() {
    this.stopped = false;
    this.tried.clear();
    this.questions.forgetProblem();
  }
}
