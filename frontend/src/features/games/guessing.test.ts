import { describe, expect, it } from "vitest";
import { guessingTail } from "./guessing";

describe("guessing alone", () => {
  it("gets a score as often as the binomial distribution says", () => {
    expect(guessingTail(0, 10, 0.25)).toBe(1);
    expect(guessingTail(1, 1, 0.25)).toBeCloseTo(0.25, 12);
    expect(guessingTail(1, 2, 0.25)).toBeCloseTo(1 - 0.75 ** 2, 12);
    expect(guessingTail(10, 10, 0.25)).toBeCloseTo(0.25 ** 10, 15);
    // 10 choose 9, times 3, and the one way to get all ten.
    expect(guessingTail(9, 10, 0.25)).toBeCloseTo(31 / 4 ** 10, 15);
  });

  it("is known of very many rounds too", () => {
    expect(guessingTail(2_500, 10_000, 0.25)).toBeCloseTo(0.5, 1);
    expect(guessingTail(9_000, 10_000, 0.25)).toBe(0);
  });
});
