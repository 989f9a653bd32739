import { describe, expect, it } from "vitest";
import type { Districts, Layout } from "../../api/frames";
import { buildVocabulary } from "../../api/vocabulary";
import { combineSets, tokensOfRule } from "./set-operations";
import { doubtfulTokens, tokenTrust } from "./token-trust";

const words = ["sing", "King", "dog", "<b>ing", "cat"];
const vocabulary = buildVocabulary(
  "run",
  words.map((token, id) => {
    return {
      token_id: id,
      token,
      text: token,
      count: 1,
      class: id === 2 || id === 4 ? "animals" : null,
    };
  }),
  [{ name: "animals" }],
);
const districts = {
  ...{ kind: "districts", attempt: 1, step: 5, time: 0, vocabulary: 5, names: ["a", "b"] },
  ...{ ids: Uint32Array.of(3, 7), of: Uint16Array.of(1, 2, 0, 2, 1) },
} as Districts;

describe("set operations", () => {
  it("combine sets, with each token once", () => {
    expect(combineSets([3, 1], [2, 3], "new")).toEqual([2, 3]);
    expect(combineSets([3, 1], [2, 3], "add")).toEqual([1, 2, 3]);
    expect(combineSets([3, 1], [2, 3], "take")).toEqual([1]);
  });

  it("find the tokens of a rule, or wait for its districts", () => {
    expect(tokensOfRule({ by: "search", text: "ING" }, vocabulary, null)).toEqual([0, 1, 3]);
    expect(tokensOfRule({ by: "class", which: 0 }, vocabulary, null)).toEqual([2, 4]);
    expect(tokensOfRule({ by: "district", which: 7 }, vocabulary, districts)).toEqual([1, 3]);
    expect(tokensOfRule({ by: "district", which: 7 }, vocabulary, null)).toBeNull();
    // A district that is gone, or an unknown class.
    expect(tokensOfRule({ by: "district", which: 4 }, vocabulary, districts)).toEqual([]);
    expect(tokensOfRule({ by: "class", which: 9 }, vocabulary, null)).toEqual([]);
  });
});

const layout = (byToken: number[] | null) =>
  ({ byToken: byToken && Uint8Array.from(byToken) }) as Layout;

describe("doubtful positions", () => {
  it("are those with a trust below a quarter", () => {
    expect(doubtfulTokens(layout([255, 0, 63, 64, 200]))).toEqual([1, 2]);
    expect(tokenTrust(layout([255, 51]), 1)).toBeCloseTo(0.2);
  });

  it("are unknown if the layout has no trust", () => {
    expect(doubtfulTokens(layout(null))).toBeNull();
    expect(doubtfulTokens(null)).toBeNull();
    expect(tokenTrust(layout(null), 0)).toBeNull();
    expect(tokenTrust(layout([1]), 5)).toBeNull();
  });
});
