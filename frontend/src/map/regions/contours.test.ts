import { describe, expect, it } from "vitest";
import { contoursOf } from "./contours";

const SIZE = 64;
const box = { x0: 0, x1: SIZE, y0: 0, y1: SIZE };

/** Draw cones of height 1, ten cells in radius. */
function land(hills: [number, number][]) {
  const heights = new Float32Array(SIZE * SIZE);
  for (let i = 0; i < heights.length; i++) {
    const [x, y] = [(i % SIZE) + 0.5, Math.floor(i / SIZE) + 0.5];
    for (const [hx, hy] of hills) {
      heights[i] = Math.max(heights[i]!, 1 - Math.hypot(x - hx, y - hy) / 10);
    }
  }
  return { size: SIZE, heights, box };
}

function area(ring: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < ring.length; i += 2) {
    const j = (i + 2) % ring.length;
    sum += ring[i]! * ring[j + 1]! - ring[j]! * ring[i + 1]!;
  }
  return Math.abs(sum / 2);
}

describe("contours", () => {
  it("ring a hill where the land is as high as they say", () => {
    const [ring, ...others] = contoursOf(land([[20, 30]]), 0.5);
    expect(others).toEqual([]);
    for (let i = 0; i < ring!.length; i += 2) {
      expect(Math.hypot(ring![i]! - 20, ring![i + 1]! - 30)).toBeCloseTo(5, 0);
    }
    expect(area(ring!)).toBeCloseTo(Math.PI * 25, -1);
  });

  it("ring each hill by itself, and two together where the saddle is higher", () => {
    const two = land([
      [25, 30],
      [37, 30],
    ]);
    expect(contoursOf(two, 0.7)).toHaveLength(2);
    expect(contoursOf(two, 0.2)).toHaveLength(1);
    expect(contoursOf(two, 1.1)).toEqual([]);
  });

  it("close at saddles too", () => {
    const heights = new Float32Array(SIZE * SIZE);
    heights[20 * SIZE + 20] = heights[21 * SIZE + 21] = 1;
    for (const level of [0.3, 0.6]) {
      const rings = contoursOf({ size: SIZE, heights, box }, level);
      expect(rings).toHaveLength(level < 0.5 ? 1 : 2);
    }
  });
});
