import { describe, expect, it } from "vitest";
import { tokensWithin, type Point } from "./lasso";

const line = (...corners: [number, number][]): Point[] => corners.map(([x, y]) => ({ x, y }));

describe("tokensWithin", () => {
  const places = Float32Array.of(1, 1, 5, 5, 9, 1, 5, 1.5, -3, 2);

  it("finds the tokens inside the line, whichever way it was drawn", () => {
    const triangle = line([0, 0], [10, 0], [5, 4]);
    // Points above the left slope, and left of everything, are outside.
    expect(tokensWithin(places, triangle)).toEqual([3]);
    expect(tokensWithin(places, [...triangle].reverse())).toEqual([3]);
    expect(tokensWithin(places, line([0, 0], [10, 0], [10, 2], [0, 2]))).toEqual([0, 2, 3]);
  });

  it("leaves out a bay, and the area that a self-crossing line encloses twice", () => {
    const bay = line([0, 0], [10, 0], [10, 10], [6, 10], [6, 1], [4, 1], [4, 10], [0, 10]);
    expect(tokensWithin(places, bay)).toEqual([0, 2]);
    const twice = [
      ...line([0, 0], [8, 0], [8, 8], [0, 8]),
      ...line([0, 0], [8, 0], [8, 8], [0, 8]),
    ];
    expect(tokensWithin(places, twice)).toEqual([]);
  });

  it("finds nothing in a dot, a stroke, or a line with invalid corners", () => {
    expect(tokensWithin(places, line([1, 1]))).toEqual([]);
    expect(tokensWithin(places, line([0, 0], [9, 9]))).toEqual([]);
    expect(tokensWithin(places, line([0, 0], [NaN, 0], [9, 9]))).toEqual([]);
  });

  it("agrees with a circle on 50,000 tokens", () => {
    const many = new Float32Array(100_000);
    let seed = 1;
    for (let i = 0; i < many.length; i++) {
      seed = (seed * 48_271) % 2_147_483_647;
      many[i] = (seed / 2_147_483_647) * 4 - 2;
    }
    const circle = Array.from({ length: 360 }, (_, degree) => ({
      x: Math.cos((degree * Math.PI) / 180),
      y: Math.sin((degree * Math.PI) / 180),
    }));
    const found = new Set(tokensWithin(many, circle));
    for (let id = 0; id < 50_000; id++) {
      const far = Math.hypot(many[2 * id]!, many[2 * id + 1]!);
      // Between the polygon's sides and the circle itself, either is right.
      if (Math.abs(far - 1) > 1e-3) expect(found.has(id)).toBe(far < 1);
    }
  });
});
