import { describe, expect, it } from "vitest";
import { SPEEDS, speedOptions } from "./replay";

describe("a replay", () => {
  it("includes its own speed in the options", () => {
    expect(speedOptions(50)).toEqual(SPEEDS);
    expect(speedOptions(7)).toEqual([1, 4, 7, 10, 50, 200, 1_000]);
  });
});
