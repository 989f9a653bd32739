import { describe, expect, it } from "vitest";
import { lastIndexAtOrBefore } from "./last-index";

describe("lastIndexAtOrBefore", () => {
  it("is the newest at or before", () => {
    expect(lastIndexAtOrBefore([0, 5, 9], 7)).toBe(1);
    expect(lastIndexAtOrBefore([0, 5, 9], 9)).toBe(2);
    expect(lastIndexAtOrBefore([5], 2)).toBe(-1);
    expect(lastIndexAtOrBefore([0, 5], null)).toBe(1);
  });
});
