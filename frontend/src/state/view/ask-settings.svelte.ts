/**
 * The viewer's settings for questions to the model, as of the last question: all of them part of the view
 * state.
 */

import { EXPERIMENTS, type ExperimentName } from "../../model/view/view-options";
import type { ViewChange } from "../../model/view/view-state";

/** Default training steps on a sentence, and then on the run's own text. */
const DEFAULT_TIMES = 5;
const DEFAULT_AFTER = 20;

export class AskSettings {
  /** Kind of question to the model, and the words of the last one. */
  experiment = $state<ExperimentName>(EXPERIMENTS[0]);
  prompt = $state("");
  /** Id of the question whose answer is shown; null: that of the current settings. */
  answerId = $state<string | null>(null);
  /** Set once the viewer has asked outside the panel, until the panel sends the question. */
  unsent = $state(false);
  /** Training steps on the words, and then on the run's own text. */
  times = $state(DEFAULT_TIMES);
  after = $state(DEFAULT_AFTER);
  /** Word whose row is replaced, and word whose row replaces it; empty: none. */
  into = $state("");
  source = $state("");
  /** Step that a row is taken from, or that is compared; null: none. */
  otherStep = $state<number | null>(null);
  /** Second sentence; empty: none. */
  second = $state("");
  /** Head whose attention is enlarged, as `2.3`; null: the first. */
  head = $state<string | null>(null);

  /** Return the settings of a past question. */
  static of(view: ViewChange): AskSettings {
    const settings = new AskSettings();
    settings.applyView(view);
    return settings;
  }

  toViewState(): ViewChange {
    return {
      ask: EXPERIMENTS.indexOf(this.experiment) === 0 ? null : this.experiment,
      asked: this.answerId,
      say: this.prompt || null,
      times: this.times === DEFAULT_TIMES ? null : this.times,
      after: this.after === DEFAULT_AFTER ? null : this.after,
      into: this.into || null,
      source: this.source || null,
      other: this.otherStep,
      second: this.second || null,
      head: this.head,
    };
  }

  applyView({ ask, asked, say, times, after, into, source, other, second, head }: ViewChange) {
    if (ask !== undefined) this.experiment = ask ?? EXPERIMENTS[0];
    if (asked !== undefined) this.answerId = asked;
    if (say !== undefined) this.prompt = say ?? "";
    if (times !== undefined) this.times = times ?? DEFAULT_TIMES;
    if (after !== undefined) this.after = after ?? DEFAULT_AFTER;
    if (into !== undefined) this.into = into ?? "";
    if (source !== undefined) this.source = source ?? "";
    if (other !== undefined) this.otherStep = other;
    if (second !== undefined) this.second = second ?? "";
    if (head !== undefined) this.head = head;
  }
}
