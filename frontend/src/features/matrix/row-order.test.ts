import { describe, expect, it } from "vitest";
import type { Districts } from "../../api/frames";
import { buildVocabulary } from "../../api/vocabulary";
import { orderRows } from "./row-order";

const token = (token_id: number, count: number, name: string | null) => ({
  token_id,
  token: `t${token_id}`,
  text: `t${token_id}`,
  count,
  class: name,
});
const vocabulary = buildVocabulary(
  "r",
  [
    token(0, 5, "cats"),
    token(1, 900, null),
    token(2, 12, "dogs"),
    token(3, 70, "dogs"),
    token(4, 0, "cats"),
    token(5, 8, "cats"),
  ],
  [{ name: "dogs" }, { name: "cats" }],
);
const say = (least: number) => `from ${least}`;
const said = (
  by: "district" | "class" | "frequency" | "id",
  districts: Districts | null = null,
) => {
  const { order, groups } = orderRows(by, vocabulary, districts, say);
  return [Array.from(order), groups.map(({ name, first, last }) => `${name}:${first}-${last}`)];
};

describe("orderRows", () => {
  it("puts the largest class first, its most common tokens on top, and tokens without a class last", () => {
    expect(said("class")).toEqual([
      [5, 0, 4, 3, 2, 1],
      ["cats:0-3", "dogs:3-5", ":5-6"],
    ]);
  });

  it("groups by digits of the count", () => {
    expect(said("frequency")).toEqual([
      [1, 3, 2, 5, 0, 4],
      ["from 100:0-1", "from 10:1-3", "from 1:3-5", "from 0:5-6"],
    ]);
    expect(said("id")).toEqual([[0, 1, 2, 3, 4, 5], []]);
  });

  it("groups by district, or has one nameless group without districts", () => {
    const districts = {
      ids: Uint32Array.of(4, 9),
      names: ["a · b", "c"],
      of: Uint16Array.of(2, 1, 2, 0, 0, 1),
    } as unknown as Districts;
    expect(said("district", districts)).toEqual([
      [1, 5, 2, 0, 3, 4],
      ["a · b:0-2", "c:2-4", ":4-6"],
    ]);
    expect(said("district")[1]).toEqual([":0-6"]);
  });

  it("has no group for unknown counts", () => {
    const items = [token(0, 0, null), token(1, 0, null)].map((one) => ({ ...one, count: null }));
    const { order, groups } = orderRows("frequency", buildVocabulary("r", items, []), null, say);
    expect([[...order], groups]).toEqual([[0, 1], []]);
  });
});
