/** The questions about one subject, and the answer on display. */

import type { AnswerKind, AnswerTo, ExaminationQuestion, StoredAnswer } from "../../api/rest-types";
import { askedAbout, isOpen, shownOf, subjectOf, type Subject } from "./examinations";
import type { Questions } from "./questions.svelte";

export class ShownAnswer<Kind extends AnswerKind> {
  /** Create it in a component. `subject`: the question; null: none yet. `step`: the step on display. */
  constructor(
    private readonly questionsNow: () => Questions<StoredAnswer>,
    private readonly subjectNow: () => Subject<Kind> | null,
    private readonly stepNow: () => number,
  ) {
    $effect(() => {
      if (this.shown) void this.questions.want(this.shown);
    });
  }

  readonly questions = $derived.by(() => this.questionsNow());
  readonly subject = $derived.by(() => {
    const { opened } = this.questions;
    // An opened question belongs to the chosen experiment.
    return opened ? (subjectOf(opened) as Subject<Kind>) : this.subjectNow();
  });
  readonly step = $derived.by(() => this.stepNow());
  /** The questions about it, in order of their steps. */
  readonly about = $derived.by(() =>
    this.subject ? askedAbout(this.questions.items, this.subject as Subject) : [],
  );
  readonly shown = $derived.by(() => shownOf(this.about, this.step, this.questions.asked));
  readonly answer = $derived.by(
    // The questions of a subject are of its kind.
    () =>
      (this.shown && (this.questions.answers.get(this.shown.id) ?? null)) as AnswerTo<Kind> | null,
  );
  /** Set if the stored answer is malformed. */
  readonly unreadable = $derived.by(
    () => this.shown !== null && this.questions.answers.get(this.shown.id) === null,
  );
  readonly waiting = $derived.by(() => this.shown !== null && isOpen(this.shown));
  readonly answeredHere = $derived.by(() =>
    this.about.some(({ step, state }) => step === this.step && state === "done"),
  );

  /** Return the same question at a step; null if there is none. */
  questionAt(step: number): ExaminationQuestion | null {
    return this.subject && ({ ...(this.subject as Subject), step } satisfies ExaminationQuestion);
  }
}
