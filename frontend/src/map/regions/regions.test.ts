import { describe, expect, it } from "vitest";
import { neighbourhoodOverlap, pickCoordinates } from "../compare/neighbourhood-overlap";
import type { Districts } from "../../api/frames";
import { quantise } from "../../model/plane/placement";
import { buildTokenGrid, GridIndex } from "../../model/plane/spatial-index";
import { clusterGroups, districtsOf, middleOf, shapeOf, type TokenGroup } from "./districts";
import { boundsAround, neighbourhoodBounds } from "./neighbourhood-bounds";
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

const box = { x0: 0, x1: 10, y0: 0, y1: 10 };

function lying(xy: Float32Array, groups: TokenGroup[]) {
  const grid = new GridIndex(buildTokenGrid(xy, box));
  return districtsOf(
    groups,
    groups.map(({ tokenIds }) => shapeOf(xy, tokenIds, box, grid)),
  );
}

function found(ids: number[], names: string[], of: number[]): Districts {
  const stamp = { attempt: 1, step: 9, time: 0, vocabulary: of.length };
  return {
    kind: "districts",
    ...stamp,
    ids: Uint32Array.from(ids),
    names,
    of: Uint16Array.from(of),
  };
}

describe("districts", () => {
  it("have the ids, the names and the tokens of the clusters", () => {
    const groups = clusterGroups(
      found([2, 5, 7], ["colours", "a · b", "animals: w8"], [1, 1, 1, 0, 2, 2, 2, 3, 3]),
    );
    expect(groups).toEqual([
      { id: 2, name: "colours", tokenIds: [0, 1, 2] },
      { id: 5, name: "a · b", tokenIds: [4, 5, 6] },
      { id: 7, name: "animals: w8", tokenIds: [7, 8] },
    ]);
  });

  it("lie where most of their tokens do, and fade if these are scattered", () => {
    // All of the first together except one; the second all over the map.
    const xy = Float32Array.from([1, 1, 1.1, 1, 9, 9, 0, 0, 5, 9, 9, 1]);
    const groups = clusterGroups(found([1, 2], ["a", "b"], [1, 1, 1, 2, 2, 2]));
    const compactness = new Map(lying(xy, groups).map((one) => [one.id, one.compactness]));
    expect([compactness.get(1), compactness.get(2)]).toEqual([1, 0]);
    expect(middleOf(quantise(xy), groups[0]!.tokenIds)[0]).toBeCloseTo(1.1, 3);
  });

  it("need three tokens, and a cluster", () => {
    const few = clusterGroups(found([1], ["animals"], [1, 1, 0, 0]));
    expect(lying(new Float32Array(8), few)).toEqual([]);
    expect(clusterGroups(found([], [], [0, 0, 0, 0]))).toEqual([]);
  });

  it("come in order of size, but an older one before a slightly larger one", () => {
    const sizes = [10, 12, 30, 11];
    const groups = sizes.map((size, i) => {
      const tokenIds = Array.from({ length: size }, (_, id) => id);
      return { id: [9, 40, 41, 2][i]!, name: "", tokenIds };
    });
    const shape = { compactness: 1, solitude: 1 };
    const order = districtsOf(groups, [shape, shape, shape, shape]).map(({ id }) => id);
    expect(order).toEqual([41, 2, 40, 9]);
  });

  it("come first if they are islands: of two equal ones that which no other tokens are among", () => {
    const spot = (x: number, y: number) => Array.from({ length: 8 }, (_, i) => [x + i / 50, y]);
    // Two groups at the same place, and a third of the same size on its own.
    const xy = Float32Array.from([...spot(2, 2), ...spot(2.01, 2), ...spot(8, 8)].flat());
    const ids = (first: number) => Array.from({ length: 8 }, (_, i) => first + i);
    const groups = [0, 8, 16].map((first) => ({ id: 1, name: "", tokenIds: ids(first) }));
    const [first, ...others] = lying(xy, groups);
    expect(first!.tokenIds[0]).toBe(16);
    expect(others.every(({ prominence }) => prominence < first!.prominence / 2)).toBe(true);
  });

  it("have nearly the same middle if it is that of a sample", () => {
    const xy = Float32Array.from({ length: 2_000 }, (_, i) => ((i >> 1) * 7_919) % 1_000);
    const ids = Array.from({ length: 1_000 }, (_, i) => i);
    expect(Math.abs(middleOf(quantise(xy), ids)[0] - 500)).toBeLessThan(40);
  });
});

function strewn(count: number, seed: number): Float32Array {
  let state = seed;
  const next = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
  return Float32Array.from({ length: 2 * count }, next);
}

/** Compute the overlap slowly, straight from the definition. */
function plainly(a: Float32Array, b: Float32Array, k: number): number {
  const count = a.length / 2;
  const nearest = (xy: Float32Array, of: number) => {
    const far = (id: number) =>
      Math.hypot(xy[2 * id]! - xy[2 * of]!, xy[2 * id + 1]! - xy[2 * of + 1]!);
    const others = [...Array(count).keys()].filter((id) => id !== of);
    return new Set(others.sort((p, q) => far(p) - far(q)).slice(0, k));
  };
  let common = 0;
  for (let of = 0; of < count; of++) {
    const there = nearest(b, of);
    for (const id of nearest(a, of)) if (there.has(id)) common += 1;
  }
  return common / (count * k);
}

describe("neighbourhoodOverlap", () => {
  it("matches its definition", () => {
    const [a, b] = [strewn(80, 1), strewn(80, 2)];
    const half = a.map((value, i) => (i < 80 ? value : b[i]!));
    for (const other of [b, half]) {
      expect(neighbourhoodOverlap(a, other, 5)!.share).toBeCloseTo(plainly(a, other, 5), 9);
    }
  });

  it("is 1 between a map and its rotated, mirrored and scaled copy", () => {
    const a = strewn(60, 3);
    const turned = a.map((_, i) => (i % 2 ? 3 * a[i - 1]! : -3 * a[i + 1]! + 7));
    expect(neighbourhoodOverlap(a, turned)).toMatchObject({ share: 1, sampled: 60, tokens: 60 });
  });

  it("samples large maps, and is null for too few tokens", () => {
    expect(neighbourhoodOverlap(strewn(200, 4), strewn(200, 4), 10, 2_000)!.sampled).toBe(10);
    expect(neighbourhoodOverlap(strewn(11, 5), strewn(11, 5), 10)).toBeNull();
    expect(() => neighbourhoodOverlap(strewn(20, 5), strewn(21, 5))).toThrow(RangeError);
  });

  it("picks coordinates in the requested order", () => {
    expect([...pickCoordinates(Float32Array.of(0, 1, 2, 3, 4, 5), Uint32Array.of(2, 0))]).toEqual([
      4, 5, 0, 1,
    ]);
  });
});
