import { describe, expect, it } from "vitest";
import type { MicroscopeText } from "../../api/rest-types";
import { guessesAt } from "./guesses";

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
