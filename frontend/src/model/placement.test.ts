import { describe, expect, it } from "vitest";
import type { Layout } from "../api/frames";
import * as placement from "./placement";
import { gridOf, nearestTo, Picker } from "./spatial-index";

const layout = (places: number[], box = { x0: -2, x1: 2, y0: 0, y1: 10 }) =>
  ({ ...box, places: Uint16Array.from(places) }) as Layout;

describe("placement", () => {
  it("gives map units, of all tokens and of one", () => {
    const placed = placement.placementOf(layout([0, 0, 65_535, 65_535, 32_768, 0]));
    const xy = placement.coordinates(placed);
    expect([...xy.slice(0, 4)]).toEqual([-2, 0, 2, 10]);
    expect(placement.at(placed, 1)).toEqual([2, 10]);
    expect(placement.at(placed, 2)[0]).toBeCloseTo(xy[4]!);
  });

  it("survives a layout of one point", () => {
    const flat = placement.placementOf(layout([0, 0], { x0: 3, x1: 3, y0: 1, y1: 1 }));
    expect(placement.span(placement.coordinates(flat)).x1).toBeGreaterThan(3);
    expect([...placement.coordinates(flat)]).toEqual([3, 1]);
  });

  it("mixes placements of different boxes as the lamps do", () => {
    const a = placement.placementOf(layout([0, 65_535, 65_535, 0, 9_000, 30_000]));
    const wide = { x0: -9, x1: 30, y0: 4, y1: 5 };
    const b = placement.placementOf(layout([65_535, 65_535, 65_535, 0, 0, 123], wide));
    const mixed = placement.between(a, b, 0.25);
    for (let id = 0; id < 3; id++) {
      for (const axis of [0, 1] as const) {
        const wanted = 0.75 * placement.at(a, id)[axis] + 0.25 * placement.at(b, id)[axis];
        expect(placement.at(mixed, id)[axis]).toBeCloseTo(wanted, 3);
      }
    }
    expect(placement.between(a, b, 1)).toBe(b);
    expect(placement.between(a, b, 0)).toBe(a);
  });

  it("is not shrunk by one stray", () => {
    const xy = new Float32Array(2_000).map((_, i) => (i % 97) / 97);
    xy[0] = 1e6;
    expect(placement.span(xy).x1).toBeLessThan(1.1);
  });
});

describe("the view", () => {
  const insets = { top: 50, right: 300, bottom: 100, left: 20 };

  it("shows the whole city in the part that nothing covers", () => {
    const box = { x0: 0, x1: 10, y0: 0, y1: 10 };
    const view = placement.fit(box, 1_280, 720, insets);
    const px = (x: number) => ((x - view.x0) / (view.x1 - view.x0)) * 1_280;
    const py = (y: number) => (1 - (y - view.y0) / (view.y1 - view.y0)) * 720;
    expect(px(0)).toBeGreaterThanOrEqual(19.9);
    expect(px(10)).toBeLessThanOrEqual(980.1);
    expect(py(10)).toBeGreaterThanOrEqual(49.9);
    expect(py(0)).toBeLessThanOrEqual(620.1);
    expect(px(5)).toBeCloseTo(500, 0);
  });

  it("zooms about a point that stays", () => {
    const view = placement.zoomed({ x0: 0, x1: 10, y0: 0, y1: 10 }, 0.5, 0.2, 1);
    expect(view).toEqual({ x0: 1, x1: 6, y0: 5, y1: 10 });
  });
});

function generator() {
  let seed = 1;
  return () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
}

function places(count: number, random: () => number) {
  return Array.from({ length: count }, () => Math.round(random() * 65_535));
}

describe("picking", () => {
  it("finds what a search of all would find", () => {
    const random = generator();
    const placed = placement.placementOf(layout(places(1_000, random)));
    const xy = placement.coordinates(placed);
    for (let round = 0; round < 200; round++) {
      const [x, y, reach] = [random() * 5 - 2.5, random() * 12 - 1, random()];
      let best: number | null = null;
      let least = 1;
      for (let id = 0; id < 500; id++) {
        const far = ((xy[2 * id]! - x) / reach) ** 2 + ((xy[2 * id + 1]! - y) / reach) ** 2;
        if (far <= least) [least, best] = [far, id];
      }
      expect(nearestTo(placed, x, y, reach, reach)).toBe(best);
    }
  });

  it("knows all that lies in a view, strays too, and little else", () => {
    const random = generator();
    const placed = placement.placementOf(layout(places(4_000, random)));
    const xy = placement.coordinates(placed);
    const picker = new Picker(gridOf(xy, { x0: -1, x1: 1, y0: 2, y1: 8 }));
    for (const view of [
      { x0: -0.4, x1: 0.1, y0: 3, y1: 4 },
      { x0: -5, x1: -0.9, y0: 7, y1: 99 },
    ]) {
      const found = new Set(picker.within(view));
      expect(found.size).toBe(picker.count(view));
      let inside = 0;
      for (let id = 0; id < 2_000; id++) {
        const [x, y] = placement.at(placed, id);
        if (x < view.x0 || x > view.x1 || y < view.y0 || y > view.y1) continue;
        inside += 1;
        expect(found.has(id)).toBe(true);
      }
      expect(inside).toBeGreaterThan(0);
      expect(found.size).toBeLessThan(2 * inside + 100);
    }
  });
});
