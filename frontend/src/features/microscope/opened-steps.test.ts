import { describe, expect, it } from "vitest";
import type { Examination } from "../../api/rest-types";
import {
  answeredOf,
  beginningIn,
  isAbout,
  openedSteps,
  openOf,
  rowPosition,
  tellingPosition,
} from "./opened-steps";

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
