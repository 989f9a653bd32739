import { describe, expect, it } from "vitest";
import { eventDensity, largestMarks, marksNear } from "./timeline-marks";
import { stepAtShare, stepForKey } from "./scrubbing";
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

describe("a position on the timeline", () => {
  it("is an existing step", () => {
    expect([-0.2, 0, 0.5, 0.7, 3].map((share) => stepAtShare(share, 1_000, 640))).toEqual([
      0, 0, 500, 640, 640,
    ]);
  });
});

describe("a key", () => {
  const keyed = (key: string, shiftKey = false) => stepForKey({ key, shiftKey }, 1_500);

  it("moves by a step, ten steps, a page, or to an end", () => {
    expect(keyed("ArrowRight")).toEqual({ by: 1 });
    expect(keyed("ArrowDown")).toEqual({ by: -1 });
    expect(keyed("ArrowLeft", true)).toEqual({ by: -10 });
    expect(keyed("PageUp")).toEqual({ by: 75 });
    expect(keyed("Home")).toEqual({ to: 0 });
    expect(keyed("End")).toEqual({ to: 1_500 });
  });

  it("is ignored if sliders do not use it", () => {
    expect([keyed("l"), keyed(" "), keyed("Tab")]).toEqual([null, null, null]);
  });
});

const mark = (step: number, size: number) => ({ step, size, text: `${size} at ${step}` });

describe("marks on the timeline", () => {
  it("are the seven largest, none close to another", () => {
    const all = Array.from({ length: 90 }, (_, i) => mark(50 * i, i % 10));
    const chosen = largestMarks(all, 4_500);
    expect(chosen.map(({ size }) => size)).toEqual(Array(7).fill(9));
    expect(largestMarks([mark(100, 5), mark(101, 9), mark(500, 1)], 1_000)).toEqual([
      mark(101, 9),
      mark(500, 1),
    ]);
  });

  it("are counted along the axis", () => {
    const density = eventDensity([mark(0, 1), mark(5, 1), mark(1_000, 1)], 1_000);
    expect([density[0], density[40], density[79]]).toEqual([1, 0, 0.5]);
    expect(eventDensity([], 1_000).every((share) => share === 0)).toBe(true);
  });

  it("near a step come largest first", () => {
    const all = [mark(100, 3), mark(104, 8), mark(120, 9)];
    expect(marksNear(all, 101, 1_000)).toEqual([mark(104, 8), mark(100, 3)]);
    expect(marksNear(all, 140, 1_000)).toEqual([]);
  });
});
