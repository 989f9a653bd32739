import { describe, expect, it } from "vitest";
import { navigator } from "./navigator";

describe("what a way is told to be worth", () => {
  it("names the fewest moves, unless the player took no more", () => {
    expect(navigator.there("dog", 5, 3)).toContain("The fewest possible are 3.");
    expect(navigator.there("dog", 3, 3)).toContain("Nobody can do it in fewer.");
    expect(navigator.givenUp("dog", 1, 3)).toContain("after 1 move.");
  });

  it("says whether luck explains it, for a goal that was reached", () => {
    expect(navigator.luck(0.38, true)).toContain("in 38 of 100 games. So luck can explain this.");
    expect(navigator.luck(0.02, true)).toContain("Luck hardly explains this.");
    expect(navigator.luck(0.38, false)).not.toContain("explain");
  });

  it("gives the moves of a game that was not reached as none", () => {
    expect(navigator.movesEach(9, 6, 2)).toBe("4.5 (3.0)");
    expect(navigator.movesEach(0, 0, 0)).toBe("–");
  });
});
