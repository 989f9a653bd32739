/**
 * An answer of the model, said word by word: each word's lamp lights on the map as it is said. Words are as far apart
 * as beats have to be at least, so that they flash no more than those.
 */

import type { AnswerTo } from "../../api/rest-types";
import type { StepLight } from "../../model/light";
import type { LiveRun } from "../../state/run/live-run.svelte";

/** Time between two words, in ms: not below `SHORTEST_INTERVAL` of the beats. */
export const WORD_INTERVAL = 420;
/** Time for which the last word at least stays lit, in ms. */
const LAST = 2_000;
/** Light of a word in proportion to that of the word after it. */
const FADING = 0.5;

/** Return how many words of each of two lines have been said, after so many of both: the first line is said first. */
export function saidOf(said: number, greedy: number): [number, number] {
  return [Math.min(said, greedy), Math.max(0, said - greedy)];
}

/** Return the lamps that are lit after the words `ids`, the last of them the brightest; one said twice counts once. */
export function lampsOf(ids: readonly number[]): { ids: Uint32Array; norms: Float32Array } {
  const norms = new Map<number, number>();
  [...ids].reverse().forEach((id, i) => {
    if (!norms.has(id)) norms.set(id, FADING ** i);
  });
  const sorted = [...norms].sort(([a], [b]) => a - b);
  return {
    ids: Uint32Array.from(sorted, ([id]) => id),
    norms: Float32Array.from(sorted, ([, norm]) => norm),
  };
}

export class Saying {
  /** Id of the answer that is being said, or was; null: none. */
  id = $state<string | null>(null);
  /** Words said so far, of both lines. */
  said = $state(0);
  private answer = $state.raw<AnswerTo<"speak"> | null>(null);
  private step = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lastAt = -Infinity;
  /** Where in time the page was when it began; whoever moves from there wants to see that. */
  private requestedStep: number | null = null;
  /** The beat during which all was said; the next one takes the map back. Undefined until then. */
  private lastBeat: StepLight | null | undefined;

  constructor(
    private readonly run: LiveRun,
    private readonly atOnce: boolean = matchMedia("(prefers-reduced-motion: reduce)").matches,
  ) {}

  /** Return whether words are still to be said. */
  get speaking(): boolean {
    return this.answer !== null && this.said < this.length;
  }

  private get length(): number {
    return this.answer ? this.answer.greedy.length + this.answer.sampled.length : 0;
  }

  /** Say an answer from its first word on. */
  start(id: string, step: number, answer: AnswerTo<"speak">) {
    clearTimeout(this.timer);
    this.id = id;
    this.answer = answer;
    this.step = step;
    this.said = 0;
    this.lastBeat = undefined;
    this.requestedStep = this.run.requestedStep;
    if (this.atOnce) {
      this.said = this.length;
      this.light([...answer.prompt, ...answer.greedy.map((word) => word.id)]);
      this.endLater();
      return;
    }
    // The beat on the screen stays until the first word.
    this.run.spoken ??= this.run.beat;
    this.timer = setTimeout(() => this.next(), WORD_INTERVAL);
  }

  /** Say all that is left at once. */
  finish() {
    if (!this.speaking) return;
    clearTimeout(this.timer);
    this.said = this.length - 1;
    this.timer = setTimeout(
      () => this.next(),
      Math.max(0, this.lastAt + WORD_INTERVAL - performance.now()),
    );
  }

  /** Follow the page, whose beat or time has changed: the map is of that again, unless words are still to be said live. */
  follow() {
    const { run } = this;
    if (!run.spoken) return;
    if (run.requestedStep !== this.requestedStep) this.stop();
    else if (this.lastBeat !== undefined && run.beat !== this.lastBeat) run.spoken = null;
  }

  /** Stop, and give the map back. */
  stop() {
    clearTimeout(this.timer);
    this.said = this.length;
    const { run } = this;
    const wait = Math.max(0, this.lastAt + WORD_INTERVAL - performance.now());
    if (run.requestedStep === this.requestedStep && wait)
      this.timer = setTimeout(() => (run.spoken = null), wait);
    else run.spoken = null;
  }

  private next() {
    const { answer } = this;
    if (!answer) return;
    this.said += 1;
    const [greedy, sampled] = saidOf(this.said, answer.greedy.length);
    const line = sampled ? answer.sampled.slice(0, sampled) : answer.greedy.slice(0, greedy);
    this.light([...answer.prompt, ...line.map(({ id }) => id)]);
    if (this.speaking) this.timer = setTimeout(() => this.next(), WORD_INTERVAL);
    else this.endLater();
  }

  private light(ids: number[]) {
    this.lastAt = performance.now();
    this.run.spoken = { said: true, step: this.step, ...lampsOf(ids), duration: 2 * WORD_INTERVAL };
  }

  /** Let what was said stay lit for a moment, and then until the next beat. */
  private endLater() {
    this.timer = setTimeout(() => (this.lastBeat = this.run.beat), LAST);
  }
}
