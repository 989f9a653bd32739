import { describe, expect, it } from "vitest";
import type { Neighbours } from "../../api/rest";
import { company, placeOf } from "./neighbour-diff";

const at = (...ids: number[]): Neighbours => ({
  step: 1,
  exact: true,
  items: ids.map((token_id) => ({ token_id, token: "", class: null, cosine: 1 })),
});

describe("company", () => {
  it("says who came and who went", () => {
    const { came, went } = company(at(1, 2, 3), at(3, 4, 1));
    expect([...came!]).toEqual([2]);
    expect(went.map(({ token_id }) => token_id)).toEqual([4]);
    expect(company(at(1), null)).toEqual({ came: null, went: [] });
  });
});

describe("placeOf", () => {
  it("is the newest at or before", () => {
    expect(placeOf([0, 5, 9], 7)).toBe(1);
    expect(placeOf([0, 5, 9], 9)).toBe(2);
    expect(placeOf([5], 2)).toBe(-1);
    expect(placeOf([0, 5], null)).toBe(1);
  });
});
