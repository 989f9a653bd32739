import { describe, expect, it } from "vitest";
import { navigatorGame } from "./navigator";

describe("what a way is told to be worth", () => {
  it("names the fewest moves, unless the player took no more", () => {
    expect(navigatorGame.there("dog", 5, 3)).toContain("The shortest way takes 3.");
    expect(navigatorGame.there("dog", 3, 3)).toContain("Nobody can do it in fewer.");
    expect(navigatorGame.givenUp("dog", 1, 3)).toContain("(1 move)");
  });

  it("says whether luck explains it", () => {
    expect(navigatorGame.luck(0.38)).toContain("in 38 of 100 games. So luck can explain this.");
    expect(navigatorGame.luck(0.02)).toContain("Luck hardly explains this.");
  });

  it("gives the moves of a game that was not reached as none", () => {
    expect(navigatorGame.movesEach(9, 6, 2)).toBe("4.5 (3.0)");
    expect(navigatorGame.movesEach(0, 0, 0)).toBe("–");
  });
});
