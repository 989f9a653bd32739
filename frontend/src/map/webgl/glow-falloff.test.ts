import { expect, it } from "vitest";
import { lampGrowth } from "./glow-falloff";

it("grows lamps with the square root of the zoom, never below their design and up to a limit", () => {
  expect([0.5, 1, 4, 9].map(lampGrowth)).toEqual([1, 1, 2, 3]);
  expect(lampGrowth(10_000)).toBe(lampGrowth(100));
});
