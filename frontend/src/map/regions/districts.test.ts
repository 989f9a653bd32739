import { describe, expect, it } from "vitest";
import type { Districts } from "../../api/frames";
import { buildVocabulary } from "../../api/vocabulary";
import { quantise } from "../../model/placement";
import { clusterGroups, compactnessOf, districtsOf, middleOf, type TokenGroup } from "./districts";

const box = { x0: 0, x1: 10, y0: 0, y1: 10 };

function lying(xy: Float32Array, groups: TokenGroup[]) {
  return districtsOf(
    groups,
    groups.map(({ tokenIds }) => compactnessOf(xy, tokenIds, box)),
  );
}

function words(classes: (string | null)[]) {
  const items = classes.map((name, token_id) => {
    return { token_id, token: `w${token_id}`, count: 1, class: name };
  });
  return buildVocabulary("run", items, ["animals", "colours"]);
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
  it("of the space have their own ids, and the tint of the class they are named after", () => {
    const vocabulary = words(Array.from({ length: 9 }, () => null));
    const groups = clusterGroups(
      found([2, 5, 7], ["colours", "a · b", "animals: w8"], [1, 1, 1, 0, 2, 2, 2, 3, 3]),
      vocabulary,
    );
    expect(groups.map(({ id, tint }) => [id, tint])).toEqual([
      [2, 1],
      [5, 5],
      [7, 0],
    ]);
    expect(groups.map(({ tokenIds }) => tokenIds)).toEqual([
      [0, 1, 2],
      [4, 5, 6],
      [7, 8],
    ]);
  });

  it("lie where most of their tokens do, and fade when these are strewn", () => {
    const vocabulary = words(Array.from({ length: 6 }, () => null));
    // All of the first together but one; the second all over the place.
    const xy = Float32Array.from([1, 1, 1.1, 1, 9, 9, 0, 0, 5, 9, 9, 1]);
    const groups = clusterGroups(found([1, 2], ["a", "b"], [1, 1, 1, 2, 2, 2]), vocabulary);
    expect(lying(xy, groups).map(({ compactness }) => compactness)).toEqual([1, 0]);
    expect(middleOf(quantise(xy), groups[0]!.tokenIds)[0]).toBeCloseTo(1.1, 3);
  });

  it("of fewer than three tokens are none, nor is there one where none was found", () => {
    const vocabulary = words(["animals", "animals", null, null]);
    const few = clusterGroups(found([1], ["animals"], [1, 1, 0, 0]), vocabulary);
    expect(lying(new Float32Array(8), few)).toEqual([]);
    expect(clusterGroups(found([], [], [0, 0, 0, 0]), vocabulary)).toEqual([]);
  });

  it("come in the order of their size, the older before one that is a little larger", () => {
    const sizes = [10, 12, 30, 11];
    const groups = sizes.map((size, i) => {
      const tokenIds = Array.from({ length: size }, (_, id) => id);
      return { id: [9, 40, 41, 2][i]!, name: "", tint: 0, tokenIds };
    });
    const order = districtsOf(groups, [1, 1, 1, 1]).map(({ id }) => id);
    expect(order).toEqual([41, 2, 40, 9]);
  });
});
