import { describe, expect, it } from "vitest";
import type { Districts } from "../../api/frames";
import { quantise } from "../../model/plane/placement";
import { buildTokenGrid, GridIndex } from "../../model/plane/spatial-index";
import { clusterGroups, districtsOf, middleOf, shapeOf, type TokenGroup } from "./districts";

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
