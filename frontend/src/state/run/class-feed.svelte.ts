/**
 * A run as a class receives it: texts that come with beats, reading permissions, and the word that is pointed
 * at.
 */

import type { ClassMessage, WordsMessage } from "../../api/rest-types";
import type { StepLight } from "../../model/light";

/** Steps whose texts are kept until their beats are shown. */
const MAX_HEARD = 8;
/** How long a viewer in a class waits for a beat before the newest step is lit from the record, in ms. */
const BEAT_WAIT = 1_000;

/** The class of this browser, if any, which its run's stream depends on. */
export interface ClassTies {
  /** True on the class's address; null if not known yet. */
  readonly inClass: boolean | null;
  /** Handle a message about the class in a run's stream. */
  hear(message: ClassMessage): void;
  /** Record that the class has removed this browser. */
  end(): void;
}

export const NO_CLASS: ClassTies = { inClass: false, hear: () => undefined, end: () => undefined };

export class ClassFeed {
  /** Token pointed at for the whole class; null: none. */
  pointed = $state<number | null>(null);
  /** True if the class may see the run's text; null if not known yet. */
  private textGiven = $state<boolean | null>(null);
  /** Beginnings of the texts of the newest steps, as sent to a class with its beats; the newest last. */
  private heard = $state.raw<readonly WordsMessage[]>([]);
  /** When the newest step is next lit from the record, unless a beat comes, as of `performance.now()`. */
  private lightsAt = Infinity;

  constructor(
    private readonly run: string,
    private readonly ties: ClassTies,
  ) {}

  /** Return whether this viewer may see the run's text. */
  get readable(): boolean {
    return this.ties.inClass === false || this.textGiven === true;
  }

  /** Return whether this viewer may not see the text; false also if not known yet. */
  get textWithheld(): boolean {
    return this.textGiven === false;
  }

  /** Return the beginning of a step's text if it came with the beat, else null. */
  wordsOf({ step, attempt }: Pick<StepLight, "step" | "attempt">): number[] | null {
    const found = this.heard.find((one) => one.step === step && one.attempt === attempt);
    return found?.tokens ?? null;
  }

  /** Store the beginning of a step's text. */
  hearWords(message: WordsMessage) {
    this.heard = [...this.heard.slice(1 - MAX_HEARD), message];
  }

  /** Handle a message to the class; return whether the run's text becomes readable with it. */
  hearClass(message: ClassMessage): boolean {
    const { text, pointed } = message;
    const given = text && !this.textGiven;
    this.textGiven = text;
    this.pointAt(pointed?.run === this.run ? pointed.token : null);
    this.ties.hear(message);
    return given;
  }

  /** Ring the token pointed at for the whole class; null: none. */
  pointAt(token: number | null) {
    this.pointed = token;
  }

  /** Start waiting for a beat: the counts have arrived. */
  expectBeat() {
    if (this.ties.inClass) this.lightsAt = performance.now() + BEAT_WAIT;
  }

  /** Return whether a beat is so overdue that the record should be read: without training none comes. */
  isOverdue(now: number, lit: boolean): boolean {
    if (now <= this.lightsAt) return false;
    this.lightsAt = lit ? Infinity : now + BEAT_WAIT * (5 + 10 * Math.random());
    return !lit;
  }
}
