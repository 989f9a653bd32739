import { describe, expect, it } from "vitest";
import type { Layout } from "../../api/frames";
import {
  LayoutAnchor,
  transformPoints,
  transformTrail,
  fitRigidTransform,
  type RigidTransform,
} from "./shown-content";
import { coordinates, placementOf, quantise } from "../../model/plane/placement";

function some(count: number, seed = 7): Float32Array {
  const out = new Float32Array(2 * count);
  for (let i = 0; i < out.length; i++) {
    seed = (seed * 48_271) % 2_147_483_647;
    out[i] = (seed / 2_147_483_647) * 20 - 5;
  }
  return out;
}

const by = (degrees: number, dx: number, dy: number): RigidTransform => ({
  cos: Math.cos((degrees * Math.PI) / 180),
  sin: Math.sin((degrees * Math.PI) / 180),
  dx,
  dy,
});

const off = (a: Float32Array, b: Float32Array) =>
  a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0);

function layoutOf(xy: Float32Array, step = 1, drawnBy: Layout["drawnBy"] = "umap"): Layout {
  const { places, box } = quantise(xy);
  return {
    ...({ kind: "layout", method: "umap", attempt: 1, time: 0, byToken: null } as const),
    ...{ trust: NaN, trustError: NaN, recall: NaN, sample: 0 },
    ...{ step, drawnBy, vocabulary: xy.length / 2, places, ...box },
  };
}

const where = (layout: Layout) => coordinates(placementOf(layout));

describe("fitRigidTransform", () => {
  it("reverses any rotation and translation exactly", () => {
    const places = some(12);
    for (const degrees of [0, 30, -170, 180]) {
      const there = transformPoints(places, by(degrees, 3, -8));
      expect(off(transformPoints(there, fitRigidTransform(there, places)), places)).toBeLessThan(
        1e-8,
      );
    }
  });

  it("neither mirrors nor scales, and is the best rotation", () => {
    const places = some(9);
    // Mirrored, twice as large, and perturbed: no rigid transform can reverse that.
    const shake = some(9, 99);
    const other = places.map((value, i) => (i % 2 ? -2 * value : 2 * value) + 0.1 * shake[i]!);
    const best = fitRigidTransform(other, places);
    expect(best.cos ** 2 + best.sin ** 2).toBeCloseTo(1, 10);
    const least = off(transformPoints(other, best), places);
    const mean = (xy: Float32Array, axis: number) =>
      xy.filter((_, i) => i % 2 === axis).reduce((sum, value) => sum + value, 0) / (xy.length / 2);
    const angle = (Math.atan2(best.sin, best.cos) * 180) / Math.PI;
    const others = [
      [1, 0, 0],
      [-1, 0, 0],
      [90, 0, 0],
      [0, 0.1, 0],
      [0, 0, -0.1],
    ] as const;
    for (const [degrees, dx, dy] of others) {
      // Each rotation with its best translation, slightly changed.
      const there = transformPoints(other, by(angle + degrees, 0, 0));
      const shift = by(
        0,
        mean(places, 0) - mean(there, 0) + dx,
        mean(places, 1) - mean(there, 1) + dy,
      );
      expect(off(transformPoints(there, shift), places)).toBeGreaterThan(least);
    }
  });

  it("translates a single token, and is the identity for none", () => {
    const { cos, sin, dx, dy } = fitRigidTransform(Float32Array.of(1, 2), Float32Array.of(4, 0));
    expect([cos, sin, dx, dy]).toEqual([1, 0, 3, -2]);
    expect(fitRigidTransform(new Float32Array(0), new Float32Array(0))).toEqual(by(0, 0, 0));
  });
});

describe("LayoutAnchor", () => {
  const first = some(40);
  const ids = [3, 17, 20, 31];

  it("changes nothing without tokens to hold", () => {
    const layout = layoutOf(first);
    expect(new LayoutAnchor().apply(layout, [])).toBe(layout);
  });

  it("keeps the tokens in place from layout to layout", () => {
    const anchor = new LayoutAnchor();
    const before = layoutOf(first);
    anchor.apply(before, []);
    expect(anchor.apply(before, ids)).toBe(before);
    for (const degrees of [40, 80, 200]) {
      const shown = anchor.apply(layoutOf(transformPoints(first, by(degrees, 5, 1))), ids);
      // The precision at which positions are stored: a 65,536th of the map.
      for (const id of [...ids, 0]) {
        expect(where(shown)[2 * id]).toBeCloseTo(first[2 * id]!, 2);
        expect(where(shown)[2 * id + 1]).toBeCloseTo(first[2 * id + 1]!, 2);
      }
      expect(shown.step).toBe(1);
    }
    const raw = layoutOf(transformPoints(first, by(40, 5, 1)));
    expect(anchor.apply(raw, [])).toBe(raw);
    expect(anchor.transform).toBeNull();
  });

  it("does not move anything when the held tokens change, and restarts on another map", () => {
    const anchor = new LayoutAnchor();
    anchor.apply(layoutOf(first), ids);
    const next = layoutOf(transformPoints(first, by(70, 0, 0)));
    const shown = anchor.apply(next, ids);
    const others = anchor.apply(next, [1, 2]);
    expect(
      Math.max(...where(others).map((value, i) => Math.abs(value - where(shown)[i]!))),
    ).toBeLessThan(0.01);
    const linear = layoutOf(some(40, 3), 1, "linear");
    expect(anchor.apply(linear, [1, 2])).toBe(linear);
  });
});

describe("a trail", () => {
  it("rotates with the positions of the map, and keeps its token", () => {
    const turn = by(37, 2, -1);
    const trail = { id: 5, xs: [0, 1, 4], ys: [2, 2, -3], own: true };
    const places = transformPoints(Float32Array.from([0, 2, 1, 2, 4, -3]), turn);
    const { id, own, xs, ys } = transformTrail(trail, turn);
    expect([id, own]).toEqual([5, true]);
    expect(xs.flatMap((x, i) => [x, ys[i]!])).toEqual(Array.from(places));
  });
});
