import { describe, expect, it } from "vitest";
import type { Examination, ForwardOperation, MicroscopeText } from "../../api/rest-types";
import {
  answeredOf,
  beginningIn,
  isAbout,
  openedSteps,
  openOf,
  rowPosition,
  tellingPosition,
} from "./opened-steps";
import {
  changeOf,
  equationDigits,
  runningSums,
  sumDecimals,
  verdictOf,
  workByLayer,
} from "./arithmetic";
import { guessesAt } from "./guesses";
import { cellAfterKey, cellColumns } from "./cells";

const TEXT = {
  ids: [5, 6],
  next_ids: [6, 9],
  p_before: [0.4, 0.001],
  rank_before: [1, 812],
  candidates: [
    [
      [6, 0.4],
      [2, 0.1],
    ],
    [
      [3, 0.5],
      [2, null],
    ],
  ],
} as unknown as MicroscopeText;

describe("the predictions after a word", () => {
  it("mark the word that came", () => {
    expect(guessesAt(TEXT, 0)).toEqual([
      { id: 6, p: 0.4, rank: null, truth: true },
      { id: 2, p: 0.1, rank: null, truth: false },
    ]);
  });

  it("end with the word that came if it is not among the likeliest", () => {
    expect(guessesAt(TEXT, 1).map(({ id }) => id)).toEqual([3, 2, 9]);
    expect(guessesAt(TEXT, 1)[2]).toEqual({ id: 9, p: 0.001, rank: 812, truth: true });
    expect(guessesAt(TEXT, 2)).toEqual([]);
  });
});

describe("the cells of a row", () => {
  it("are nearly a square, in full lines for usual widths", () => {
    expect([1, 16, 64, 128, 1024].map(cellColumns)).toEqual([1, 4, 8, 16, 32]);
  });

  it("can be traversed with keys, within the ends", () => {
    const after = (key: string, cell: number) => cellAfterKey(key, cell, 8, 64);
    expect([after("ArrowRight", 7), after("ArrowDown", 7), after("ArrowUp", 15)]).toEqual([
      8, 15, 7,
    ]);
    expect([after("ArrowLeft", 0), after("ArrowUp", 3), after("ArrowDown", 60)]).toEqual([
      0, 3, 60,
    ]);
    expect([after("Home", 9), after("End", 9), after("x", 9)]).toEqual([0, 63, null]);
  });
});

const operation = (layer: string, forward: number) => ({ layer, forward }) as ForwardOperation;

describe("the numbers of a step", () => {
  it("are grouped by layer, in the order of the operations", () => {
    const layers = workByLayer([operation("a", 1), operation("a", 2), operation("b", 4)]);
    expect(layers.map(({ layer, forward }) => [layer, forward])).toEqual([
      ["a", 3],
      ["b", 4],
    ]);
    expect(layers[0]!.operations).toHaveLength(2);
  });

  it("add up in 32-bit precision", () => {
    const [first, both] = runningSums({ w: [0.1, 2], x: [1, 0.5] });
    // Not 0.1: the nearest 32-bit number.
    expect(first).toBe(Math.fround(0.1));
    expect(both).toBe(Math.fround(0.1) + 1);
    expect(runningSums({ w: [null, 2], x: [1, 3] })).toEqual([0, 6]);
  });

  it("make equations that are true of the digits shown", () => {
    // Three numbers of a recorded step, and one at which the first digits tried would not do.
    const row = { gradient: null, m_after: 0.0002209, step_size: 0.01495, denominator: 0.0004455 };
    for (const old of [-0.52474, -0.524745, 0.1234567, 1.00005]) {
      const next = old - (0.01495 * 0.0002209) / 0.0004455;
      const { decimals, digits } = equationDigits({ ...row, old, new: next });
      const [a, b, c] = [0.01495, 0.0002209, 0.0004455].map((term) => +term.toPrecision(digits));
      const shown = +old.toFixed(decimals) - (a! * b!) / c!;
      expect(shown.toFixed(decimals)).toBe(next.toFixed(decimals));
      expect(next.toFixed(decimals)).not.toBe(old.toFixed(decimals));
    }
    const plain = { gradient: 0.25, m_after: null, step_size: 0.1, denominator: null };
    expect(equationDigits({ ...plain, old: 1, new: 0.975 })).toEqual({ decimals: 4, digits: 4 });
    expect(equationDigits({ ...plain, old: 1, new: 1 })).toEqual({ decimals: 5, digits: 4 });
    // 0.00005 + 0.00005 is not 0.0001 + 0.0001 = 0.0001.
    expect(sumDecimals(0.00005, 0.00005, 0.0001)).toBe(5);
    expect(sumDecimals(0.5, 0.25, 0.75)).toBe(4);
  });

  it("are compared with the record, or with the model where the record has only a digest", () => {
    const row = { stored: 1, difference: 0, model_difference: 5 };
    expect(verdictOf(row, { equal: true })).toEqual({
      ...{ equal: true, difference: 0, against: "record", digest: "equal" },
    });
    const lost = { stored: null, difference: null, model_difference: 0 };
    expect(verdictOf(lost, { equal: true })).toMatchObject({ equal: true, against: "model" });
    expect(verdictOf(lost, { equal: false }).digest).toBe("differs");
    expect(verdictOf(lost, { equal: null }).digest).toBe("none");
    expect(verdictOf({ ...row, difference: 1e-9 }, { equal: null }).equal).toBe(false);
    expect(verdictOf({ ...row, difference: null }, { equal: null }).equal).toBe(false);
  });

  it("tell whether a step helped", () => {
    expect([changeOf(2, 1), changeOf(1, 2), changeOf(2, 2), changeOf(null, 2)]).toEqual([
      ...["better", "worse", "even", null],
    ]);
  });
});

function asked(
  id: string,
  question: { token?: number | null; coordinate?: number; sequence?: number },
  more: Partial<Examination> = {},
): Examination {
  return {
    ...{ id, kind: "microscope", step: 100, attempt: 1, state: "done", share: 1, activity: "" },
    ...{ problem: null, made: 1 },
    question: { kind: "microscope", token: null, coordinate: 0, sequence: 0, ...question },
    ...more,
  };
}
const WANTED = { step: 100, token: 7, coordinate: 17, sequence: 0 };

describe("a step under the microscope", () => {
  it("displays the requested answer, or the one most like it", () => {
    const any = asked("any", {});
    const token = asked("token", { token: 7 });
    const exact = asked("exact", { token: 7, coordinate: 17 });
    const other = asked("other", { token: 7, coordinate: 17, sequence: 3 });
    expect(answeredOf([exact, other, token, any], WANTED)).toBe(exact);
    expect(answeredOf([other, token, any], WANTED)).toBe(token);
    expect(answeredOf([other, any], WANTED)).toBe(any);
    expect(answeredOf([token, exact], { ...WANTED, token: null })).toBe(exact);
    expect(isAbout(exact, WANTED)).toBe(true);
    expect(isAbout(other, WANTED)).toBe(false);
    expect(isAbout(any, { ...WANTED, token: null })).toBe(true);
  });

  it("has no answer of another step or kind, of an older attempt, or before it is complete", () => {
    expect(answeredOf([asked("a", {}, { step: 99 })], WANTED)).toBeNull();
    expect(answeredOf([asked("a", {}, { kind: "speak" })], WANTED)).toBeNull();
    const waiting = asked("b", {}, { attempt: 2, state: "waiting" });
    expect(answeredOf([asked("a", {}), waiting], WANTED)).toBeNull();
    expect(openOf([asked("a", {}), waiting], 100)).toBe(waiting);
    expect(openOf([asked("a", {})], 100)).toBeNull();
  });

  it("marks the word of its row, and none where its text does not read that word", () => {
    const text = { sequence: 1, ids: [5, 7, 6, 7, 8], next_ids: [7, 6, 7, 8] };
    expect(rowPosition(text, 7, null)).toBe(1);
    expect(rowPosition(text, 7, { sequence: 1, position: 3 })).toBe(3);
    // A word that is looked at, or stood there in another text, is not the row's.
    expect(rowPosition(text, 7, { sequence: 1, position: 2 })).toBe(1);
    expect(rowPosition(text, 7, { sequence: 0, position: 3 })).toBe(1);
    // The last word is only predicted.
    expect([rowPosition(text, 8, null), rowPosition(text, 99, null)]).toEqual([null, null]);
  });

  it("is listed once", () => {
    const items = [
      asked("a", {}, { step: 20 }),
      asked("b", {}, { step: 3 }),
      asked("c", { token: 4 }, { step: 20 }),
      asked("d", {}, { step: 5, state: "failed" }),
      asked("e", {}, { step: 6, kind: "speak" }),
    ];
    expect(openedSteps(items)).toEqual([3, 20]);
  });

  it("begins at the rarest word", () => {
    const tokens = ["the", "dog", ".", "heron", "a"];
    const counts = [900, 40, 1, 3, 1];
    expect(tellingPosition([0, 1, 2, 4, 3], tokens, counts)).toBe(1);
    expect(tellingPosition([3, 1, 3, 0], tokens, counts)).toBe(0);
    expect(tellingPosition([2, 4, 1], tokens, counts)).toBeNull();
  });

  it("begins at the followed word, at any place in the batch", () => {
    const vocabulary = { tokens: ["the", "dog", ".", "heron"], counts: [900, 40, 1, 3] };
    const batch = [
      [0, 1, 0, 1],
      [0, 0, 3, 2],
    ];
    const begin = (place: { sequence: number; position: number } | null, followed: number | null) =>
      beginningIn(batch, place, followed, vocabulary);
    expect(begin(null, null)).toEqual({ sequence: 0, position: 1, token: 1 });
    expect(begin({ sequence: 0, position: 2 }, 0)).toEqual({ sequence: 0, position: 2, token: 0 });
    expect(begin({ sequence: 1, position: 2 }, 0)).toEqual({ sequence: 1, position: 0, token: 0 });
    expect(begin(null, 3)).toEqual({ sequence: 1, position: 2, token: 3 });
    // The last word of a sequence is only predicted.
    expect(begin({ sequence: 9, position: 0 }, 2)).toEqual({ sequence: 0, position: 1, token: 1 });
    expect(beginningIn([], null, null, vocabulary)).toBeNull();
  });
});
