import { describe, expect, it } from "vitest";
import type { Layout } from "../../api/frames";
import { positionOf, coordinates, placementOf } from "./placement";
import { buildTokenGrid, nearestToken, GridIndex } from "./spatial-index";

const layout = (places: number[], box = { x0: -2, x1: 2, y0: 0, y1: 10 }) =>
  ({ ...box, places: Uint16Array.from(places) }) as Layout;

function generator() {
  let seed = 1;
  return () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
}

function places(count: number, random: () => number) {
  return Array.from({ length: count }, () => Math.round(random() * 65_535));
}

describe("the spatial index", () => {
  it("finds the same as a full search", () => {
    const random = generator();
    const placed = placementOf(layout(places(1_000, random)));
    const xy = coordinates(placed);
    for (let round = 0; round < 200; round++) {
      const [x, y, reach] = [random() * 5 - 2.5, random() * 12 - 1, random()];
      let best: number | null = null;
      let least = 1;
      for (let id = 0; id < 500; id++) {
        const far = ((xy[2 * id]! - x) / reach) ** 2 + ((xy[2 * id + 1]! - y) / reach) ** 2;
        if (far <= least) [least, best] = [far, id];
      }
      expect(nearestToken(placed, x, y, reach, reach)).toBe(best);
    }
  });

  it("covers everything in a view, strays included, and little else", () => {
    const random = generator();
    const placed = placementOf(layout(places(4_000, random)));
    const xy = coordinates(placed);
    const index = new GridIndex(buildTokenGrid(xy, { x0: -1, x1: 1, y0: 2, y1: 8 }));
    for (const view of [
      { x0: -0.4, x1: 0.1, y0: 3, y1: 4 },
      { x0: -5, x1: -0.9, y0: 7, y1: 99 },
    ]) {
      const found = new Set(index.tokensInView(view));
      expect(found.size).toBe(index.countInView(view));
      let inside = 0;
      for (let id = 0; id < 2_000; id++) {
        const [x, y] = positionOf(placed, id);
        if (x < view.x0 || x > view.x1 || y < view.y0 || y > view.y1) continue;
        inside += 1;
        expect(found.has(id)).toBe(true);
      }
      expect(inside).toBeGreaterThan(0);
      expect(found.size).toBeLessThan(2 * inside + 100);
    }
  });
});
