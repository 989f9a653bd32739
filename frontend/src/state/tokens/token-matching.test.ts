import { describe, expect, it } from "vitest";
import { vocabularyOf } from "../../api/vocabulary";
import { Twins } from "./token-matching";

const words = (run: string, tokens: string[]) =>
  vocabularyOf(
    run,
    tokens.map((token, token_id) => ({ token_id, token, count: 1, class: null })),
    [],
  );

describe("twins", () => {
  it("of one run are the same token", () => {
    const one = words("a", ["x", "x ", "y"]);
    const twins = new Twins(one, words("a", ["x", "x ", "y"]));
    expect([0, 1, 2, 3].map((id) => twins.there(id))).toEqual([0, 1, 2, null]);
    expect(twins.shared()[0]).toEqual(Uint32Array.of(0, 1, 2));
  });

  it("of two runs are tokens of one text, and of others there is none", () => {
    const twins = new Twins(words("a", ["x", "__proto__", "y"]), words("b", ["y", "z", "x", "w"]));
    expect([0, 1, 2].map((id) => twins.there(id))).toEqual([2, null, 0]);
    expect([0, 1, 2, 3].map((id) => twins.back(id))).toEqual([2, null, 0, null]);
    expect(twins.allThere([2, 1, 0])).toEqual([0, 2]);
    expect(twins.shared()).toEqual([Uint32Array.of(0, 2), Uint32Array.of(2, 0)]);
  });
});
