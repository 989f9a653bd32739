import { describe, expect, it } from "vitest";
import { quantise } from "../../model/plane/placement";
import { boundsAround, neighbourhoodBounds } from "./neighbourhood-bounds";

/**
 * A map of 10 by 10: token 0 at 2, 2, its neighbours 1 to 7 beside it, 8 far away, 9 and 10 at the corners.
 */
const NEAR = Array.from({ length: 7 }, (_, i) => [2 + 0.1 * i, 2.5]);
const PLACES = [[2, 2], ...NEAR, [9, 9], [0, 0], [10, 10]];
const placement = quantise(Float32Array.from(PLACES.flat()));

describe("the bounds around tokens", () => {
  it("contain all of them with a margin, and are never tiny", () => {
    const far = boundsAround([0, 8], placement);
    for (const [low, high] of [
      [far.x0, far.x1],
      [far.y0, far.y1],
    ] as const) {
      expect(low).toBeLessThan(1.5);
      expect(high).toBeGreaterThan(9.5);
    }
    const near = boundsAround([1, 2], placement);
    expect(near.x1 - near.x0).toBeCloseTo(2);
    expect((near.y0 + near.y1) / 2).toBeCloseTo(2.5, 1);
  });
});

describe("the bounds of a neighbourhood", () => {
  it("contain the token and the neighbours around it, and leave out distant ones", () => {
    const bounds = neighbourhoodBounds(0, [8, 1, 2, 3, 4, 5, 6, 7], placement);
    expect(bounds.x0).toBeLessThan(2);
    expect(bounds.x1).toBeGreaterThan(2.6);
    expect(bounds.y0).toBeLessThan(2);
    expect(bounds.y1).toBeGreaterThan(2.5);
    expect(bounds.x1).toBeLessThan(5);
  });

  it("are large enough to show other tokens too", () => {
    const { x0, x1, y0, y1 } = neighbourhoodBounds(0, [], placement);
    expect(x1 - x0).toBeCloseTo(2);
    expect(y1 - y0).toBeCloseTo(2);
  });

  it("span the map if the neighbours are scattered", () => {
    const { x0, x1 } = neighbourhoodBounds(0, [8, 9, 10], placement);
    expect(x1 - x0).toBeGreaterThan(10);
  });
});
