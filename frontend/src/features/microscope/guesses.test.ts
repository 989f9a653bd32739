import { describe, expect, it } from "vitest";
import type { MicroscopeText } from "../../api/rest-types";
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
