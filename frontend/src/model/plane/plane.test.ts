import { describe, expect, it } from "vitest";
import type { LineSet } from "../../api/rest-types";
import { lineOf, lineSetAt, withLineSet } from "./line-sets";
import type { Layout } from "../../api/frames";
import { coordinates, mixPlacements, placementOf, positionOf, robustBounds } from "./placement";
import { buildTokenGrid, nearestToken, GridIndex } from "./spatial-index";
import { fitView, toMapPosition, toPixel, unitsPerPixel, zoomView } from "./viewport";
import { NearestTokens } from "./nearest";

describe("placement", () => {
  it("gives map units, for all tokens and for one", () => {
    const placed = placementOf(layout([0, 0, 65_535, 65_535, 32_768, 0]));
    const xy = coordinates(placed);
    expect([...xy.slice(0, 4)]).toEqual([-2, 0, 2, 10]);
    expect(positionOf(placed, 1)).toEqual([2, 10]);
    expect(positionOf(placed, 2)[0]).toBeCloseTo(xy[4]!);
  });

  it("survives a layout of one point", () => {
    const flat = placementOf(layout([0, 0], { x0: 3, x1: 3, y0: 1, y1: 1 }));
    expect(robustBounds(coordinates(flat)).x1).toBeGreaterThan(3);
    expect([...coordinates(flat)]).toEqual([3, 1]);
  });

  it("mixes placements of different boxes as the lamps do", () => {
    const a = placementOf(layout([0, 65_535, 65_535, 0, 9_000, 30_000]));
    const wide = { x0: -9, x1: 30, y0: 4, y1: 5 };
    const b = placementOf(layout([65_535, 65_535, 65_535, 0, 0, 123], wide));
    const mixed = mixPlacements(a, b, 0.25);
    for (let id = 0; id < 3; id++) {
      for (const axis of [0, 1] as const) {
        const wanted = 0.75 * positionOf(a, id)[axis] + 0.25 * positionOf(b, id)[axis];
        expect(positionOf(mixed, id)[axis]).toBeCloseTo(wanted, 3);
      }
    }
    expect(mixPlacements(a, b, 1)).toBe(b);
    expect(mixPlacements(a, b, 0)).toBe(a);
  });

  it("is not shrunk by one stray", () => {
    const xy = new Float32Array(2_000).map((_, i) => (i % 97) / 97);
    xy[0] = 1e6;
    expect(robustBounds(xy).x1).toBeLessThan(1.1);
  });
});

function nearestOf(distances: number[], k: number): number[] {
  const nearest = new NearestTokens(k);
  distances.forEach((distance, id) => nearest.offer(id, distance));
  return [...nearest.kept];
}

describe("the nearest tokens", () => {
  it("match a full sort, in any order of arrival", () => {
    let seed = 3;
    const next = () => (seed = (seed * 16_807) % 2_147_483_647) % 50;
    for (let round = 0; round < 50; round++) {
      const distances = Array.from({ length: 40 }, next);
      const sorted = [...distances.keys()].sort((a, b) => distances[a]! - distances[b]! || a - b);
      for (const k of [1, 7, 40]) expect(nearestOf(distances, k)).toEqual(sorted.slice(0, k));
    }
  });

  it("are all tokens if there are fewer than k", () => {
    expect(nearestOf([3, 1, 2], 9)).toEqual([1, 2, 0]);
    expect(nearestOf([], 3)).toEqual([]);
    expect(nearestOf([1, 2], 0)).toEqual([]);
  });

  it("exclude unknown and infinite distances", () => {
    expect(nearestOf([NaN, 2, Infinity, -1], 3)).toEqual([3, 1]);
  });

  it("are found again after a restart", () => {
    const nearest = new NearestTokens(2);
    nearest.offer(5, 0);
    nearest.startOver();
    expect([...nearest.kept]).toEqual([]);
    nearest.offer(6, 100);
    expect([...nearest.kept]).toEqual([6]);
  });
});

describe("the view", () => {
  const insets = { top: 50, right: 300, bottom: 100, left: 20 };

  it("shows the whole map in the uncovered part", () => {
    const box = { x0: 0, x1: 10, y0: 0, y1: 10 };
    const view = fitView(box, 1_280, 720, insets);
    const viewport = { view, width: 1_280, height: 720 };
    const px = (x: number) => toPixel(viewport, [x, 0])[0];
    const py = (y: number) => toPixel(viewport, [0, y])[1];
    expect(px(0)).toBeGreaterThanOrEqual(19.9);
    expect(px(10)).toBeLessThanOrEqual(980.1);
    expect(py(10)).toBeGreaterThanOrEqual(49.9);
    expect(py(0)).toBeLessThanOrEqual(620.1);
    expect(px(5)).toBeCloseTo(500, 0);
  });

  it("has one scale for both axes in a window of any shape", () => {
    const box = { x0: -3, x1: 9, y0: 2, y1: 10 };
    for (const [width, height] of [
      [1_280, 800],
      [2_560, 1_440],
      [390, 844],
      [844, 390],
    ] as const) {
      const view = fitView(box, width, height, insets);
      const [ux, uy] = unitsPerPixel({ view, width, height });
      expect(ux).toBeCloseTo(uy, 9);
      expect(view.x1 - view.x0).toBeGreaterThanOrEqual(12);
      expect(view.y1 - view.y0).toBeGreaterThanOrEqual(8);
    }
  });

  it("converts between map and pixels, with y upwards on the map and downwards in the picture", () => {
    const viewport = { view: { x0: -2, x1: 2, y0: 0, y1: 10 }, width: 400, height: 200 };
    expect(toPixel(viewport, [-2, 10])).toEqual([0, 0]);
    expect(toPixel(viewport, [1, 2.5])).toEqual([300, 150]);
    expect(toMapPosition(viewport, 300, 150)).toEqual([1, 2.5]);
    expect(unitsPerPixel(viewport)).toEqual([0.01, 0.05]);
  });

  it("zooms about a fixed point", () => {
    const view = zoomView({ x0: 0, x1: 10, y0: 0, y1: 10 }, 0.5, 0.2, 1);
    expect(view).toEqual({ x0: 1, x1: 6, y0: 5, y1: 10 });
  });
});

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

/** Return the lines of an attempt at a step: one sampled, then one of the likeliest words. */
function set(step: number, attempt = 1): LineSet {
  const line = { prompt: [1], words: [step], probabilities: [0.5] };
  return {
    step,
    attempt,
    lines: [
      { ...line, sampled: true },
      { ...line, sampled: false },
    ],
  };
}

describe("the lines of a step", () => {
  const sets = [set(0), set(1), set(250)];

  it("are the newest at or before it", () => {
    const stepsSaid = [0, 1, 249, 250, 9_000].map((step) => lineSetAt(sets, step)?.step);
    expect(stepsSaid).toEqual([0, 1, 1, 250, 250]);
    expect(lineSetAt([set(5)], 4)).toBeNull();
    expect(lineSetAt([], 4)).toBeNull();
    expect(lineSetAt(null, 4)).toBeNull();
  });

  it("start with the likeliest words, and wrap around", () => {
    const sampled = [0, 1, 2, 3].map((place) => lineOf(set(0), place)?.sampled);
    expect(sampled).toEqual([false, true, false, true]);
    expect(lineOf({ step: 0, attempt: 1, lines: [] }, 3)).toBeNull();
  });
});

describe("lines that arrive", () => {
  const stepsOf = (sets: LineSet[]) => sets.map(({ step, attempt }) => [step, attempt]);

  it("are put in order, one set per step", () => {
    const sets = [set(250), set(0), set(1), set(250)].reduce<LineSet[]>(withLineSet, []);
    expect(stepsOf(sets)).toEqual([
      [0, 1],
      [1, 1],
      [250, 1],
    ]);
  });

  it("of a newer attempt replace the older ones from that step on", () => {
    const sets = withLineSet([set(0), set(250), set(500)], set(250, 2));
    expect(stepsOf(sets)).toEqual([
      [0, 1],
      [250, 2],
    ]);
    // Receiving a set again changes nothing.
    expect(stepsOf(withLineSet(withLineSet(sets, set(500, 2)), set(250, 2)))).toEqual([
      [0, 1],
      [250, 2],
      [500, 2],
    ]);
  });
});
