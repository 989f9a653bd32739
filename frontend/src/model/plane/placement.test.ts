import { describe, expect, it } from "vitest";
import type { Layout } from "../../api/frames";
import * as placement from "./placement";

const layout = (places: number[], box = { x0: -2, x1: 2, y0: 0, y1: 10 }) =>
  ({ ...box, places: Uint16Array.from(places) }) as Layout;

describe("placement", () => {
  it("gives map units, for all tokens and for one", () => {
    const placed = placement.placementOf(layout([0, 0, 65_535, 65_535, 32_768, 0]));
    const xy = placement.coordinates(placed);
    expect([...xy.slice(0, 4)]).toEqual([-2, 0, 2, 10]);
    expect(placement.positionOf(placed, 1)).toEqual([2, 10]);
    expect(placement.positionOf(placed, 2)[0]).toBeCloseTo(xy[4]!);
  });

  it("survives a layout of one point", () => {
    const flat = placement.placementOf(layout([0, 0], { x0: 3, x1: 3, y0: 1, y1: 1 }));
    expect(placement.robustBounds(placement.coordinates(flat)).x1).toBeGreaterThan(3);
    expect([...placement.coordinates(flat)]).toEqual([3, 1]);
  });

  it("mixes placements of different boxes as the lamps do", () => {
    const a = placement.placementOf(layout([0, 65_535, 65_535, 0, 9_000, 30_000]));
    const wide = { x0: -9, x1: 30, y0: 4, y1: 5 };
    const b = placement.placementOf(layout([65_535, 65_535, 65_535, 0, 0, 123], wide));
    const mixed = placement.mixPlacements(a, b, 0.25);
    for (let id = 0; id < 3; id++) {
      for (const axis of [0, 1] as const) {
        const wanted =
          0.75 * placement.positionOf(a, id)[axis] + 0.25 * placement.positionOf(b, id)[axis];
        expect(placement.positionOf(mixed, id)[axis]).toBeCloseTo(wanted, 3);
      }
    }
    expect(placement.mixPlacements(a, b, 1)).toBe(b);
    expect(placement.mixPlacements(a, b, 0)).toBe(a);
  });

  it("is not shrunk by one stray", () => {
    const xy = new Float32Array(2_000).map((_, i) => (i % 97) / 97);
    xy[0] = 1e6;
    expect(placement.robustBounds(xy).x1).toBeLessThan(1.1);
  });
});
