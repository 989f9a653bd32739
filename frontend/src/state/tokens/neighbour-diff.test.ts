import { describe, expect, it } from "vitest";
import type { Neighbours } from "../../api/rest-types";
import { diffNeighbours, lastIndexAtOrBefore } from "./neighbour-diff";

const at = (...ids: number[]): Neighbours => ({
  step: 1,
  exact: true,
  items: ids.map((token_id) => ({ token_id, token: "", class: null, cosine: 1 })),
});

describe("diffNeighbours", () => {
  it("says who came and who went", () => {
    const { added, removed } = diffNeighbours(at(1, 2, 3), at(3, 4, 1));
    expect([...added!]).toEqual([2]);
    expect(removed.map(({ token_id }) => token_id)).toEqual([4]);
    expect(diffNeighbours(at(1), null)).toEqual({ added: null, removed: [] });
  });
});

describe("lastIndexAtOrBefore", () => {
  it("is the newest at or before", () => {
    expect(lastIndexAtOrBefore([0, 5, 9], 7)).toBe(1);
    expect(lastIndexAtOrBefore([0, 5, 9], 9)).toBe(2);
    expect(lastIndexAtOrBefore([5], 2)).toBe(-1);
    expect(lastIndexAtOrBefore([0, 5], null)).toBe(1);
  });
});
