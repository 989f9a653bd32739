import { describe, expect, it } from "vitest";
import type { Districts } from "../../api/frames";
import { quantise } from "../../model/plane/placement";
import { clusterGroups, compactnessOf, districtsOf, middleOf, type TokenGroup } from "./districts";

const box = { x0: 0, x1: 10, y0: 0, y1: 10 };

function lying(xy: Float32Array, groups: TokenGroup[]) {
  return districtsOf(
    groups,
    groups.map(({ tokenIds }) => compactnessOf(xy, tokenIds, box)),
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
    expect(lying(xy, groups).map(({ compactness }) => compactness)).toEqual([1, 0]);
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
    const order = districtsOf(groups, [1, 1, 1, 1]).map(({ id }) => id);
    expect(order).toEqual([41, 2, 40, 9]);
  });
});
