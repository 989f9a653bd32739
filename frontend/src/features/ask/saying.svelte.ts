/**
 * A continuation played word by word: each word lights its lamp on the map. The interval between words is at
 * least the shortest interval between beats, so that the map flashes no faster.
 */

import { prefersStillness } from "../../model/reduced-motion";
import type { AnswerTo } from "../../api/rest-types";
import type { StepLight } from "../../model/light";
import type { LiveRun } from "../../state/run/live-run.svelte";

/** Time between two words, in ms; at least the beats' `SHORTEST_INTERVAL`. */
export const WORD_INTERVAL = 420;
/** Minimum time for which the last word stays lit, in ms. */
const LAST = 2_000;
/** Brightness of a word relative to the word after it. */
const FADING = 0.5;

/** Split a count of words between the two lines, the greedy one first. */
export function saidOf(said: number, greedy: number): [number, number] {
  return [Math.min(said, greedy), Math.max(0, said - greedy)];
}

/** Return the lamps lit after the words `ids`, the last one brightest; a repeated word counts once. */
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
  /** Id of the answer being played, or played last; null: none. */
  id = $state<string | null>(null);
  /** Number of words said so far, of both lines. */
  said = $state(0);
  private answer = $state.raw<AnswerTo<"speak"> | null>(null);
  private step = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lastAt = -Infinity;
  /** The step requested when the words began; a viewer who moves in time takes the map back. */
  private requestedStep: number | null = null;
  /** The beat displayed when the last word was said; the next beat takes the map back. Undefined before that. */
  private lastBeat: StepLight | null | undefined;

  constructor(
    private readonly run: LiveRun,
    private readonly atOnce: boolean = prefersStillness(),
  ) {}

  /** Return whether words remain to be said. */
  get speaking(): boolean {
    return this.answer !== null && this.said < this.length;
  }

  private get length(): number {
    return this.answer ? this.answer.greedy.length + this.answer.sampled.length : 0;
  }

  /** Play an answer from its first word. */
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
    // The displayed beat stays until the first word.
    this.run.spoken ??= this.run.beat;
    this.timer = setTimeout(() => this.next(), WORD_INTERVAL);
  }

  /** Show all remaining words at once. */
  finish() {
    if (!this.speaking) return;
    clearTimeout(this.timer);
    this.said = this.length - 1;
    this.timer = setTimeout(
      () => this.next(),
      Math.max(0, this.lastAt + WORD_INTERVAL - performance.now()),
    );
  }

  /** React to a new beat or time: return the map to the run, unless live words remain to be said. */
  follow() {
    const { run } = this;
    if (!run.spoken) return;
    if (run.requestedStep !== this.requestedStep) this.stop();
    else if (this.lastBeat !== undefined && run.beat !== this.lastBeat) run.spoken = null;
  }

  /** Stop, and return the map to the run. */
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

  /** Keep the last words lit for a moment, and then until the next beat. */
  private endLater() {
    this.timer = setTimeout(() => (this.lastBeat = this.run.beat), LAST);
  }
}
