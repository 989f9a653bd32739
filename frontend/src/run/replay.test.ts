import { describe, expect, it } from "vitest";
import { socketPath, SPEEDS, speedsOf } from "./replay";

describe("a replay", () => {
  it("takes the socket that plays from the last step seen", () => {
    const replay = { from: 12, speed: 0.5, ended: false };
    expect(socketPath(replay, 40, false)).toBe("live?channels=pulse,layout&from=40&speed=0.5");
    expect(socketPath(null, 40, false)).toBe("live?channels=pulse,layout");
  });

  it("takes no steps while it is held", () => {
    expect(socketPath({ from: 12, speed: 4, ended: false }, 40, true)).toBe("live?channels=layout");
  });

  it("offers the speed it has", () => {
    expect(speedsOf(50)).toEqual(SPEEDS);
    expect(speedsOf(7)).toEqual([1, 4, 7, 10, 50, 200, 1_000]);
  });
});
