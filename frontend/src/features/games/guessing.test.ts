import { describe, expect, it } from "vitest";
import { guessingTail } from "./guessing";

describe("guessing", () => {
  it("reaches a score with the binomial probability", () => {
    expect(guessingTail(0, 10, 0.25)).toBe(1);
    expect(guessingTail(1, 1, 0.25)).toBeCloseTo(0.25, 12);
    expect(guessingTail(1, 2, 0.25)).toBeCloseTo(1 - 0.75 ** 2, 12);
    expect(guessingTail(10, 10, 0.25)).toBeCloseTo(0.25 ** 10, 15);
    // 10 choose 9, times 3, and the one way to get all ten.
    expect(guessingTail(9, 10, 0.25)).toBeCloseTo(31 / 4 ** 10, 15);
  });

  it("works for very many rounds", () => {
    expect(guessingTail(2_500, 10_000, 0.25)).toBeCloseTo(0.5, 1);
    expect(guessingTail(9_000, 10_000, 0.25)).toBe(0);
  });
});
