import { describe, expect, it } from "vitest";
import { game } from "./game.strings";
import { guessingTail } from "./guessing";

describe("what a game is told to be worth", () => {
  it("says how often guessing gets that far", () => {
    expect(game.often(1)).toBe("every game");
    expect(game.often(0.999)).toBe("nearly every game");
    expect(game.often(0.1182)).toBe("12 of 100 games");
    expect(game.often(0.0035)).toBe("4 of 1,000 games");
    expect(game.often(0)).toBe("less than 1 of 1,000 games");
  });

  it("says when luck is an explanation", () => {
    expect(game.tail(0.0781)).toContain("luck can explain");
    expect(game.tail(0.0197)).toContain("Luck hardly");
  });

  it("names what guessing would get", () => {
    expect(game.score(7, 10, 0.25)).toBe("7 of 10 right. Guessing would get 2.5.");
    expect(game.soFar(0, 4, 0.25)).toBe("0 right so far. Guessing would get 1.");
  });
});

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
