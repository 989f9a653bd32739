import { describe, expect, it } from "vitest";
import { curvePath, tickSteps } from "./timeline-curve";

describe("the curve of the timeline", () => {
  it("goes from the top of its range to the bottom, with gaps", () => {
    expect(curvePath([0, 10, 20, 30, 40], [8, 4.5, NaN, 2, 1], [1, 8])).toBe(
      "M0 0.0L10 50.0M30 85.7L40 100.0",
    );
    expect(curvePath([1], [NaN], [0, 1])).toBe("");
  });

  it("has round ticks, as many as fit", () => {
    expect(tickSteps(5_000, 6)).toEqual([0, 1_000, 2_000, 3_000, 4_000, 5_000]);
    expect(tickSteps(5_000, 2)).toEqual([0, 5_000]);
    expect(tickSteps(1_300, 4)).toEqual([0, 500, 1_000]);
    expect(tickSteps(10, 6)).toEqual([0, 2, 4, 6, 8, 10]);
    for (let last = 10; last < 3_000; last += 7)
      for (const most of [2, 4, 6]) expect(tickSteps(last, most).length).toBeLessThan(most + 2);
  });
});
