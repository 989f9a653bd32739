import { describe, expect, it } from "vitest";
import { densityOf } from "./density";

const around = { x0: 0, x1: 10, y0: 0, y1: 10 };

describe("the density grid", () => {
  it("is high where tokens are, and sea at the edge", () => {
    const xy = Float32Array.from({ length: 400 }, (_, i) => (i % 4 < 2 ? 3 : 7) + (i % 10) / 50);
    const { size, heights, box } = densityOf(xy, around, 96);
    const at = (x: number, y: number) => {
      const column = Math.floor(((x - box.x0) / (box.x1 - box.x0)) * size);
      const row = Math.floor(((y - box.y0) / (box.y1 - box.y0)) * size);
      return heights[row * size + column]!;
    };
    expect(at(3.1, 3.1)).toBeGreaterThan(0.8);
    expect(at(3, 7.5)).toBeLessThan(0.3);
    expect(heights[0]).toBe(0);
    expect(heights[size * size - 1]).toBe(0);
  });

  it("is flat for an empty map", () => {
    expect(densityOf(new Float32Array(0), around, 32).heights.every((h) => h === 0)).toBe(true);
  });
});
