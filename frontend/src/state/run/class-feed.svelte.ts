/** A run as a class is told of it: texts that come with beats, what may be read, and the word that somebody points at. */

import type { ClassMessage, WordsMessage } from "../../api/rest-types";
import type { StepLight } from "../../model/light";

/** Steps whose texts are kept until their beats are shown. */
const MOST_HEARD = 8;
/** How long a viewer of a class waits for a beat before the newest step is lit from the record, in ms. */
const BEAT_WAIT = 1_000;

/** The class that this browser may be in, which its run's stream depends on. */
export interface ClassTies {
  /** True on the class's address; null while that is not known. */
  readonly inClass: boolean | null;
  /** Take what the stream of a run says about the class. */
  hear(message: ClassMessage): void;
  /** Take note that the class has ended this browser's place in it. */
  end(): void;
}

export const NO_CLASS: ClassTies = { inClass: false, hear: () => undefined, end: () => undefined };

export const openClassStream = async () => (await import("../../api/class-stream")).openStream();

export class ClassFeed {
  /** Token that somebody points at for all; null: none. */
  pointed = $state<number | null>(null);
  /** True where the class may see the run's text; null while that is not known. */
  private textGiven = $state<boolean | null>(null);
  /** Beginnings of the texts of the newest steps, as a class is sent them with its beats; the newest last. */
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

  /** Return whether this viewer may not see it; false also while that is not known. */
  get textWithheld(): boolean {
    return this.textGiven === false;
  }

  /** Return the beginning of the text of a step, if it came with its beat; null if it did not. */
  wordsOf({ step, attempt }: Pick<StepLight, "step" | "attempt">): number[] | null {
    const found = this.heard.find((one) => one.step === step && one.attempt === attempt);
    return found?.tokens ?? null;
  }

  /** Take the beginning of a step's text. */
  hearWords(message: WordsMessage) {
    this.heard = [...this.heard.slice(1 - MOST_HEARD), message];
  }

  /** Take what the class is told; return whether the run's text is given from now on. */
  hearClass(message: ClassMessage): boolean {
    const { text, pointed } = message;
    const given = text && !this.textGiven;
    this.textGiven = text;
    this.pointAt(pointed?.run === this.run ? pointed.token : null);
    this.ties.hear(message);
    return given;
  }

  /** Ring a token that somebody points at for all; null: none. */
  pointAt(token: number | null) {
    this.pointed = token;
  }

  /** Wait for a beat: the counts have come. */
  expectBeat() {
    if (this.ties.inClass) this.lightsAt = performance.now() + BEAT_WAIT;
  }

  /** Return whether no beat has come for so long that the record is to be asked: while nothing is trained none comes. */
  isOverdue(now: number, lit: boolean): boolean {
    if (now <= this.lightsAt) return false;
    this.lightsAt = lit ? Infinity : now + BEAT_WAIT * (5 + 10 * Math.random());
    return !lit;
  }
}
