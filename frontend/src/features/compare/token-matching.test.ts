import { describe, expect, it } from "vitest";
import { buildVocabulary } from "../../api/vocabulary";
import { TokenMatching } from "./token-matching";

const words = (run: string, tokens: string[]) =>
  buildVocabulary(
    run,
    tokens.map((token, token_id) => ({ token_id, token, text: token, count: 1, class: null })),
    [],
  );

describe("token matching", () => {
  it("of one run pairs each token with itself", () => {
    const one = words("a", ["x", "x ", "y"]);
    const matching = new TokenMatching(one, words("a", ["x", "x ", "y"]));
    expect([0, 1, 2, 3].map((id) => matching.toSecond(id))).toEqual([0, 1, 2, null]);
    expect(matching.commonIds()[0]).toEqual(Uint32Array.of(0, 1, 2));
  });

  it("of two runs pairs tokens of equal text, and leaves the others out", () => {
    const matching = new TokenMatching(
      words("a", ["x", "__proto__", "y"]),
      words("b", ["y", "z", "x", "w"]),
    );
    expect([0, 1, 2].map((id) => matching.toSecond(id))).toEqual([2, null, 0]);
    expect([0, 1, 2, 3].map((id) => matching.toFirst(id))).toEqual([2, null, 0, null]);
    expect(matching.allToSecond([2, 1, 0])).toEqual([0, 2]);
    expect(matching.commonIds()).toEqual([Uint32Array.of(0, 2), Uint32Array.of(2, 0)]);
  });
});
