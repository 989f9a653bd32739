import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AnswerTo } from "../../api/rest-types";
import type { StepLight } from "../../model/light";
import { SHORTEST_INTERVAL } from "../../state/live/beat-scheduler";
import type { LiveRun } from "../../state/run/live-run.svelte";
import { lampsOf, Saying, saidOf, WORD_INTERVAL } from "./saying.svelte";

const word = (id: number) => ({ id, p: 0.5, candidates: [] });
const ANSWER: AnswerTo<"speak"> = {
  kind: "speak",
  step: 5,
  attempt: 1,
  prompt: [1, 2],
  greedy: [word(3), word(4)],
  sampled: [word(5)],
  replayed: { from: 0, steps: 5, equal: true, difference: 0 },
};
const BEAT = { step: 5, ids: Uint32Array.of(9) } as StepLight;

/** Make the parts of a run that a saying needs. */
const makeRun = () =>
  ({ spoken: null, beat: BEAT, requestedStep: null }) as unknown as {
    -readonly [Name in "spoken" | "beat" | "requestedStep"]: LiveRun[Name];
  };
const lit = (run: ReturnType<typeof makeRun>) => (run.spoken ? [...run.spoken.ids] : null);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the lamps of a saying", () => {
  it("are those of its words, each once, the last one brightest", () => {
    const { ids, norms } = lampsOf([7, 3, 7]);
    expect([...ids]).toEqual([3, 7]);
    expect([...norms]).toEqual([0.5, 1]);
  });

  it("change no faster than beats may", () => {
    expect(WORD_INTERVAL).toBeGreaterThanOrEqual(SHORTEST_INTERVAL);
  });
});

describe("a saying", () => {
  const start = (atOnce = false) => {
    const run = makeRun();
    const saying = new Saying(run as LiveRun, atOnce);
    saying.start("a", 5, ANSWER);
    return { run, saying };
  };
  const pass = (words: number) => vi.advanceTimersByTime(words * WORD_INTERVAL);

  it("plays word by word, the greedy line first, and then gives way to the next beat", () => {
    expect([0, 1, 2, 3].map((said) => saidOf(said, 2))).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
      [2, 1],
    ]);
    const { run, saying } = start();
    // The displayed beat stays until the first word.
    expect(run.spoken).toBe(BEAT);
    const seen = [1, 2, 3].map(() => {
      pass(1);
      return [saying.said, lit(run)];
    });
    expect(seen).toEqual([
      [1, [1, 2, 3]],
      [2, [1, 2, 3, 4]],
      [3, [1, 2, 5]],
    ]);
    expect(saying.speaking).toBe(false);
    saying.follow();
    expect(lit(run)).toEqual([1, 2, 5]);
    vi.advanceTimersByTime(10_000);
    saying.follow();
    expect(lit(run)).toEqual([1, 2, 5]);
    run.beat = { ...BEAT, step: 6 };
    saying.follow();
    expect(run.spoken).toBeNull();
  });

  it("ignores live beats while words remain", () => {
    const { run, saying } = start();
    pass(1);
    run.beat = { ...BEAT, step: 6 };
    saying.follow();
    expect(lit(run)).toEqual([1, 2, 3]);
  });

  it("returns the map at once when the viewer moves in time", () => {
    const { run, saying } = start();
    pass(1);
    run.requestedStep = 3;
    saying.follow();
    expect(run.spoken).toBeNull();
    pass(9);
    expect(run.spoken).toBeNull();
    expect(saying.speaking).toBe(false);
  });

  it("can be finished early, and stops without a beat too soon after a word", () => {
    const { run, saying } = start();
    pass(1);
    saying.finish();
    pass(1);
    expect(saying.speaking).toBe(false);
    expect(lit(run)).toEqual([1, 2, 5]);
    saying.stop();
    expect(run.spoken).not.toBeNull();
    pass(1);
    expect(run.spoken).toBeNull();
  });

  it("is complete at once with reduced motion", () => {
    const { run, saying } = start(true);
    expect(saying.speaking).toBe(false);
    expect(lit(run)).toEqual([1, 2, 3, 4]);
  });
});
