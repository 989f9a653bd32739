import { describe, expect, it } from "vitest";
import { socketPath, SPEEDS, speedOptions } from "./replay";

describe("a replay", () => {
  it("takes the socket that plays from the last step seen", () => {
    const replay = { from: 12, speed: 0.5, ended: false };
    expect(socketPath(replay, 40, false)).toBe("live?channels=pulse,layout&from=40&speed=0.5");
    expect(socketPath(null, 40, false)).toBe("live?channels=pulse,layout");
  });

  it("is of the map as it was laid out anew, where that is wished", () => {
    const replay = { from: 0, speed: 50, ended: false };
    expect(socketPath(replay, 7, false, true)).toContain("&from=7&speed=50&set=again");
    expect(socketPath(null, 7, false, true)).not.toContain("set");
  });

  it("takes no steps while it is held", () => {
    expect(socketPath({ from: 12, speed: 4, ended: false }, 40, true)).toBe("live?channels=layout");
  });

  it("offers the speed it has", () => {
    expect(speedOptions(50)).toEqual(SPEEDS);
    expect(speedOptions(7)).toEqual([1, 4, 7, 10, 50, 200, 1_000]);
  });
});
