/**
 * The beginning of the text that the displayed step reads, fetched as often as a person can read it:
 * where steps go by faster, for some of them.
 */

import { ApiError } from "../../api/failure";
import { requestJson, runPath } from "../../api/rest";
import type { StepText } from "../../api/rest-types";
import type { StepBeat } from "../../model/step-beat";
import type { LiveRun } from "./live-run.svelte";

/** Least time between two questions while steps go by, in ms. */
const INTERVAL = 600;
/** Texts that are kept: the step displayed may go back and forth. */
const KEPT = 32;

export class ReadText {
  private readonly texts = new Map<string, number[]>();
  /** Changes with every text that arrives. */
  private arrived = $state(0);
  /** Set when the run has no text to show. */
  absent = $state(false);
  private asked: string | null = null;
  private askedAt = -Infinity;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private abort: AbortController | null = null;

  /** Return the ids of the words that a beat's step reads first; null where they are not here. */
  of(beat: StepBeat | null): number[] | null {
    void this.arrived;
    return (beat && this.texts.get(keyOf(beat))) ?? null;
  }

  /** Return the text that arrived last; null before the first. */
  get last(): number[] | null {
    void this.arrived;
    return [...this.texts.values()].at(-1) ?? null;
  }

  /** Request the text of the run's beat, soon; called in an effect, with each beat. */
  follow(run: LiveRun) {
    const { beat } = run;
    if (!beat?.step || this.absent) return;
    const key = keyOf(beat);
    if (this.texts.has(key) || this.asked === key) return;
    clearTimeout(this.timer);
    const wait = run.idle || run.paused ? 0 : this.askedAt + INTERVAL - performance.now();
    this.timer = setTimeout(() => void this.fetch(run.id, beat), Math.max(0, wait));
  }

  close() {
    clearTimeout(this.timer);
    this.abort?.abort();
  }

  private async fetch(run: string, beat: StepBeat) {
    this.abort?.abort();
    const { signal } = (this.abort = new AbortController());
    const key = keyOf(beat);
    this.asked = key;
    this.askedAt = performance.now();
    const path = `steps/${beat.step}/text?attempt=${Math.max(1, beat.attempt)}`;
    try {
      const { tokens } = await requestJson<StepText>(runPath(run, path), { signal });
      const [first] = tokens;
      if (!first) {
        this.absent = true;
        return;
      }
      // The last of a sequence is only guessed, not read.
      this.texts.set(key, first.slice(0, -1));
      const [oldest] = this.texts.keys();
      if (this.texts.size > KEPT) this.texts.delete(oldest!);
      this.arrived += 1;
    } catch (error) {
      // The next beat asks again.
      if (!(error instanceof ApiError) && !signal.aborted) throw error;
    } finally {
      if (this.asked === key) this.asked = null;
    }
  }
}

function keyOf({ attempt, step }: StepBeat): string {
  return `${attempt}/${step}`;
}
