import { describe, expect, it } from "vitest";
import { roundAxisRange, roundAxisEnd } from "./axis-range";
import { describeLine, type LineWords } from "./description";

const words: LineWords = (name, first, last, low, high) =>
  `${name}: ${first[1]} at ${first[0]}, ${last[1]} at ${last[0]}, from ${low} to ${high}`;

describe("a line in words", () => {
  it("has the ends and the extremes, even with gaps", () => {
    const said = describeLine("loss", [0, 10, 20, 30], [7.5, null, 2, 2.5], words);
    expect(said).toBe("loss: 7.5 at 0, 2.5 at 30, from 2 to 7.5");
  });

  it("is only its name if no value is known", () => {
    expect(describeLine("loss", [1], [NaN], words)).toBe("loss");
    expect(describeLine("loss", [], [], words)).toBe("loss");
  });
});

describe("an axis that grows", () => {
  it("ends at a number of two digits and zeros, never below the data", () => {
    expect([0, 1, 7, 10, 99, 120, 1_000, 1_234, 47_254].map(roundAxisEnd)).toEqual([
      1, 1, 7, 10, 99, 120, 1_000, 1_300, 48_000,
    ]);
    for (let step = 1; step < 3_000; step++) {
      expect(roundAxisEnd(step)).toBeGreaterThanOrEqual(step);
      expect(roundAxisEnd(step)).toBeLessThanOrEqual(1.1 * step);
    }
  });

  it("has few distinct ends, however many steps arrive", () => {
    const ends = new Set(Array.from({ length: 100_000 }, (_, step) => roundAxisEnd(step)));
    expect(ends.size).toBeLessThan(500);
  });
});

describe("values between round numbers", () => {
  it("contain all values, and stay when the values move a little", () => {
    expect(roundAxisRange([7.71, 1.45, NaN, 2])).toEqual([1, 8]);
    expect(roundAxisRange([7.6, 1.41])).toEqual([1, 8]);
    const [low, high] = roundAxisRange([2.13, 2.98])!;
    expect(low).toBeCloseTo(2.1);
    expect(high).toBeCloseTo(3);
  });

  it("exist if all values are equal, and are null without values", () => {
    expect(roundAxisRange([2.5, 2.5])).toEqual([2, 3]);
    expect(roundAxisRange([NaN])).toBeNull();
    expect(roundAxisRange([])).toBeNull();
  });
});
