import { describe, expect, it } from "vitest";
import type { AnswerTo } from "../../../api/rest-types";
import { answersForgetFirst, forgottenAt, keptOf, mapForgetsLast } from "./forgetting";
import { rowsOf } from "./row-bitmap";
import { endsOf, leavesRareWords } from "./deciles";

const decilesOf = (sgd: (number | null)[], adam: (number | null)[]) =>
  ({
    optimisers: [
      { name: "sgd", curve: [{ step: 9, losses: sgd }] },
      { name: "adam", curve: [{ step: 9, losses: adam }] },
    ],
  }) as unknown as AnswerTo<"deciles">;

describe("rare words under two optimisers", () => {
  it("fall behind where plain descent is worse on them, and more so than on frequent words", () => {
    const ends = endsOf(decilesOf([1, 5, 8.5], [1.4, 5, 8.3]))!;
    expect(ends).toEqual({ frequent: { sgd: 1, adam: 1.4 }, rare: { sgd: 8.5, adam: 8.3 } });
    expect(leavesRareWords(ends)).toBe(true);
    expect(leavesRareWords(endsOf(decilesOf([3, 8.5], [1, 8]))!)).toBe(false);
    expect(leavesRareWords(endsOf(decilesOf([1, 8], [2, 8.5]))!)).toBe(false);
  });

  it("come from the groups with known losses", () => {
    expect(endsOf(decilesOf([1, 2, null], [1, 1, 3]))!.rare).toEqual({ sgd: 2, adam: 1 });
    expect(endsOf(decilesOf([null, null], [1, 2]))).toBeNull();
    expect(endsOf({ optimisers: [] } as unknown as AnswerTo<"deciles">)).toBeNull();
  });
});

describe("a bitmap of rows", () => {
  it("starts with the least significant bit, and ignores bits beyond its end", () => {
    // Bytes 0b00000101 and 0b10000000.
    expect([...rowsOf(btoa("\x05\x80"), 18)]).toEqual([
      ...[1, 0, 1, 0, 0, 0, 0, 0],
      ...[0, 0, 0, 0, 0, 0, 0, 1],
      ...[0, 0],
    ]);
  });
});

/** Return an answer whose points have these losses and purities of both matrices. */
function answerOf(points: [number, number | null, number | null, number | null][]) {
  return {
    curve: points.map(([step, loss, input, output]) => ({
      step,
      loss_first: loss,
      loss_other: 7,
      purity_in_first: input,
      purity_out_first: output,
      purity_in_other: 0.01,
      purity_out_other: 0.01,
    })),
    turned_back_at: 100,
    chance: 0,
    words: Math.round(Math.exp(6)),
  } as AnswerTo<"environment">;
}

const USUAL = answerOf([
  [0, 1, 1, 1],
  [10, 2, 1, 0.99],
  [100, 3, 0.95, 0.7],
  [101, 1.1, 0.2, 0.2],
]);

describe("forgetting", () => {
  it("starts once a tenth of the knowledge above chance is lost, and ends where the copy turns back", () => {
    expect(keptOf(USUAL, USUAL.curve[1]!, "answers")).toBeCloseTo(0.8, 2);
    expect(forgottenAt(USUAL, "answers")).toBe(10);
    expect(forgottenAt(USUAL, "output")).toBe(100);
    expect(forgottenAt(USUAL, "input")).toBe(Infinity);
    expect(answersForgetFirst(USUAL)).toBe(true);
    expect(mapForgetsLast(USUAL)).toBe(true);
  });

  it("can happen in the opposite order", () => {
    const other = answerOf([
      [0, 1, 1, 1],
      [10, 1, 0.5, 1],
      [100, 3, 0.5, 1],
    ]);
    expect(answersForgetFirst(other)).toBe(false);
    expect(mapForgetsLast(other)).toBe(false);
  });

  it("is unknown without classes, or without initial knowledge", () => {
    expect(answersForgetFirst(answerOf([[0, 1, null, null]]))).toBeNull();
    const ignorant = answerOf([
      [0, 6, 0, 0],
      [10, 6, 0, 0],
    ]);
    expect(forgottenAt(ignorant, "answers")).toBeNull();
  });
});
