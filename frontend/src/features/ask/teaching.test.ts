import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AnswerTo, TaughtRows } from "../../api/rest-types";
import { SHORTEST_INTERVAL } from "../../state/live/beat-scheduler";
import type { LiveRun } from "../../state/run/live-run.svelte";
import { taughtStates } from "./taught";
import { ringSizes, TAUGHT_BEAT, taughtLight, Teaching } from "./teaching.svelte";

const rows = (distance: number): TaughtRows => ({
  lit: [9, 2],
  gradient: [[9, 0.5]],
  moved: [[9, distance]],
  counts: { lit: 2, gradient: 1, moved: 1 },
});
const state = (phase: "before" | "sentence" | "town", number: number, of?: TaughtRows) => ({
  ...{ phase, number, loss: 1, text_loss: 1 },
  ...(of && { rows: of }),
});
const ANSWER = {
  states: [
    state("before", 0),
    state("sentence", 1, rows(0.2)),
    state("sentence", 2, rows(0.1)),
    state("town", 1),
    state("town", 5),
  ],
  own: { p: [0.01, 0.2, 0.7, 0.6, 0.4] },
} as AnswerTo<"what_if">;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the steps of a copy being taught", () => {
  it("include those on its own text, and tell when it learned the sentence", () => {
    expect(taughtStates(ANSWER)).toEqual({
      steps: [0, 1, 2, 3, 7],
      taught: 2,
      last: 7,
      believed: 2,
    });
    const never = { ...ANSWER, own: { ...ANSWER.own, p: [0, 0.1, 0.5, 0.9, 0.9] } };
    expect(taughtStates(never).believed).toBeNull();
  });
});

describe("teaching on the map", () => {
  it("lights each row that is read, and rings each that moved, wider for longer moves", () => {
    const { ids, norms } = taughtLight(rows(1));
    expect([[...ids], [...norms]]).toEqual([
      [2, 9],
      [0, 0.5],
    ]);
    const size = (distance: number, share: number) => ringSizes(rows(distance), 0.2, share).get(9)!;
    expect(size(0.2, 1)).toBeGreaterThan(size(0.1, 1));
    expect(size(0.2, 1)).toBeGreaterThan(size(0.2, 0.5));
    expect(ringSizes(rows(0), 0, 1).get(9)).toBeCloseTo(size(0, 0));
    expect(TAUGHT_BEAT).toBeGreaterThanOrEqual(SHORTEST_INTERVAL);
  });

  const start = (atOnce = true) => {
    const run = { spoken: null, ringed: new Map(), requestedStep: null } as unknown as {
      -readonly [Name in "spoken" | "ringed" | "ringNotes" | "requestedStep"]: LiveRun[Name];
    };
    const teaching = new Teaching(run as LiveRun, atOnce);
    teaching.start(5, ANSWER, new Map([[7, "1\u00a0% → 99\u00a0%"]]));
    return { run, teaching };
  };

  it("shows each reading in two beats, and finally rings the other words that changed", () => {
    const { run, teaching } = start();
    const seen = [0, 1, 2, 3, 4].map((beat) => {
      if (beat) vi.advanceTimersByTime(TAUGHT_BEAT);
      return [teaching.number, teaching.moved, [...run.ringed.keys()], run.spoken !== null];
    });
    expect(seen).toEqual([
      [1, false, [7], true],
      [1, true, [7, 9], true],
      [2, false, [7], true],
      [2, true, [7, 9], true],
      [0, false, [7], false],
    ]);
    expect(run.ringNotes.get(7)).toBe("1\u00a0% → 99\u00a0%");
    teaching.stop();
    expect(run.ringNotes.size).toBe(0);
  });

  it("grows the rings, and returns the map when the viewer moves in time", () => {
    const { run, teaching } = start(false);
    vi.advanceTimersByTime(TAUGHT_BEAT);
    const small = run.ringed.get(9)!;
    vi.advanceTimersByTime(200);
    expect(run.ringed.get(9)!).toBeGreaterThan(small);
    teaching.follow();
    expect(teaching.number).toBe(1);
    run.requestedStep = 3;
    teaching.follow();
    expect([teaching.number, run.spoken, run.ringed.size]).toEqual([0, null, 0]);
    vi.advanceTimersByTime(9_000);
    expect(run.spoken).toBeNull();
  });
});
