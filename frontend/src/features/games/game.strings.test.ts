import { describe, expect, it } from "vitest";
import { game } from "./game.strings";

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
