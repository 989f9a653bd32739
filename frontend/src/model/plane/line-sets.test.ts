import { describe, expect, it } from "vitest";
import type { LineSet } from "../../api/rest-types";
import { lineOf, lineSetAt, withLineSet } from "./line-sets";

/** Return the lines of an attempt at a step: one sampled, then one of the likeliest words. */
function set(step: number, attempt = 1): LineSet {
  const line = { prompt: [1], words: [step], probabilities: [0.5] };
  return {
    step,
    attempt,
    lines: [
      { ...line, sampled: true },
      { ...line, sampled: false },
    ],
  };
}

describe("the lines of a step", () => {
  const sets = [set(0), set(1), set(250)];

  it("are the newest at or before it", () => {
    const stepsSaid = [0, 1, 249, 250, 9_000].map((step) => lineSetAt(sets, step)?.step);
    expect(stepsSaid).toEqual([0, 1, 1, 250, 250]);
    expect(lineSetAt([set(5)], 4)).toBeNull();
    expect(lineSetAt([], 4)).toBeNull();
    expect(lineSetAt(null, 4)).toBeNull();
  });

  it("start with the likeliest words, and wrap around", () => {
    const sampled = [0, 1, 2, 3].map((place) => lineOf(set(0), place)?.sampled);
    expect(sampled).toEqual([false, true, false, true]);
    expect(lineOf({ step: 0, attempt: 1, lines: [] }, 3)).toBeNull();
  });
});

describe("lines that arrive", () => {
  const stepsOf = (sets: LineSet[]) => sets.map(({ step, attempt }) => [step, attempt]);

  it("are put in order, one set per step", () => {
    const sets = [set(250), set(0), set(1), set(250)].reduce<LineSet[]>(withLineSet, []);
    expect(stepsOf(sets)).toEqual([
      [0, 1],
      [1, 1],
      [250, 1],
    ]);
  });

  it("of a newer attempt replace the older ones from that step on", () => {
    const sets = withLineSet([set(0), set(250), set(500)], set(250, 2));
    expect(stepsOf(sets)).toEqual([
      [0, 1],
      [250, 2],
    ]);
    // Receiving a set again changes nothing.
    expect(stepsOf(withLineSet(withLineSet(sets, set(500, 2)), set(250, 2)))).toEqual([
      [0, 1],
      [250, 2],
      [500, 2],
    ]);
  });
});
