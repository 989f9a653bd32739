import { describe, expect, it } from "vitest";
import { eventDensity, largestMarks, marksNear } from "./timeline-marks";

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
