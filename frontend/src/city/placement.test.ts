import { describe, expect, it } from "vitest";
import type { Layout } from "../wire/frames";
import * as placement from "./placement";
import { Picker } from "./picking";

const layout = (places: number[], box = { x0: -2, x1: 2, y0: 0, y1: 10 }) =>
  ({ ...box, places: Uint16Array.from(places) }) as Layout;

describe("placement", () => {
  it("gives map units, and takes them back", () => {
    const xy = placement.coordinates(
      placement.placementOf(layout([0, 0, 65_535, 65_535, 32_768, 0])),
    );
    expect([...xy.slice(0, 4)]).toEqual([-2, 0, 2, 10]);
    const again = placement.coordinates(placement.quantised(xy));
    again.forEach((value, i) => expect(value).toBeCloseTo(xy[i]!, 3));
  });

  it("survives a layout of one point", () => {
    const flat = placement.placementOf(layout([0, 0], { x0: 3, x1: 3, y0: 1, y1: 1 }));
    expect(placement.span(placement.coordinates(flat)).x1).toBeGreaterThan(3);
    expect([...placement.coordinates(placement.quantised(Float32Array.of(3, 1)))]).toEqual([3, 1]);
  });

  it("mixes", () => {
    const [a, b] = [Float32Array.of(0, 0), Float32Array.of(4, 8)];
    expect([...placement.between(a, b, 0.25)]).toEqual([1, 2]);
    expect(placement.between(a, b, 1)).toBe(b);
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

describe("picking", () => {
  it("finds what a search of all would find", () => {
    let seed = 1;
    const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const xy = Float32Array.from({ length: 1_000 }, () => random() * 10);
    const picker = new Picker(xy, placement.span(xy));
    for (let round = 0; round < 200; round++) {
      const [x, y, reach] = [random() * 12 - 1, random() * 12 - 1, random()];
      let best: number | null = null;
      let least = 1;
      for (let id = 0; id < 500; id++) {
        const far = ((xy[2 * id]! - x) / reach) ** 2 + ((xy[2 * id + 1]! - y) / reach) ** 2;
        if (far <= least) [least, best] = [far, id];
      }
      expect(picker.nearest(x, y, reach, reach)).toBe(best);
    }
  });
});
