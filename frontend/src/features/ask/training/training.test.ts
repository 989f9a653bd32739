import { describe, expect, it } from "vitest";
import type { AnswerTo } from "../../../api/rest-types";
import { answersForgetFirst, forgottenAt, keptOf, mapForgetsLast } from "./forgetting";
import { rowsOf } from "./row-bitmap";

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
