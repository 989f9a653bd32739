import { describe, expect, it } from "vitest";
import { thinPoints } from "./thin-points";

describe("the points of a chart with too many", () => {
  it("are all drawn while there are few, but for those without a place", () => {
    expect(thinPoints([1, 2, -Infinity, 4], [1, NaN, 3, 4], 4)).toEqual([0, 3]);
  });

  it("are as many as allowed, with the outermost and a lonely one among them", () => {
    const size = 200_000;
    // A crowd in one corner, in a fixed order; one far out on each side, and one alone in the middle.
    const x = Array.from({ length: size }, (_, i) => (i * 0.618) % 1);
    const y = Array.from({ length: size }, (_, i) => (i * 0.414) % 1);
    const alone: [number, number][] = [
      [-50, 0.5],
      [60, 0.5],
      [0.5, -70],
      [0.5, 80],
      [30, 40],
    ];
    alone.forEach(([a, b], n) => {
      x[1000 * (n + 1)] = a;
      y[1000 * (n + 1)] = b;
    });
    const drawn = thinPoints(x, y, 3_000);
    expect(drawn).toHaveLength(3_000);
    expect(new Set(drawn).size).toBe(3_000);
    for (const n of alone.keys()) expect(drawn).toContain(1000 * (n + 1));
    expect(drawn).toEqual(drawn.toSorted((a, b) => a - b));
  });

  it("may all lie at one place", () => {
    expect(thinPoints(Array(100).fill(1), Array(100).fill(2), 10)).toHaveLength(10);
  });
});
