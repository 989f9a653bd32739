import { describe, expect, it } from "vitest";
import { buildVocabulary } from "../../api/vocabulary";
import {
  analogyWords,
  axisEnds,
  formatLabWords,
  labIdsOf,
  labPairs,
  parseLabWords,
} from "./lab-words";
import { listTwice, wordsToTry } from "./words-to-try";

const vocabularyOf = (tokens: string[]) => ({
  tokens,
  byCount: Uint32Array.from(tokens, (_, id) => id),
});

describe("words to try", () => {
  it("are Lamptown's own favourites if the text has them", () => {
    expect(wordsToTry(vocabularyOf(["the", "paris", "dog", "queen"]))).toEqual([2, 3, 1]);
  });

  it("are other words of another text: no signs, numbers, names or function words", () => {
    const common = Array.from({ length: 30 }, (_, i) => `common${"x".repeat(i)}`);
    const text = [...common, "##", "1812", "Moscow", "dog", "▁river", "tea", "Ġwindow", "letters"];
    const ids = wordsToTry(vocabularyOf(text));
    expect(ids.map((id) => text[id])).toEqual(["dog", "▁river", "Ġwindow"]);
  });

  it("are few, or none, if the text has no more", () => {
    expect(wordsToTry(vocabularyOf([]))).toEqual([]);
    expect(wordsToTry(vocabularyOf(["a", "b", "queen"]))).toEqual([2]);
  });
});

describe("a list that comes twice", () => {
  it("has words spread over the text, and no piece of one", () => {
    const words = Array.from({ length: 16 }, (_, i) => `${String.fromCharCode(97 + i)}oo`);
    const half = words.filter((_, i) => i % 2 === 0);
    const twice = listTwice(vocabularyOf(["##", "12", ...words]));
    expect(twice.split(" ")).toEqual([...half, ...half]);
    expect(listTwice(vocabularyOf(["-ing", "dog", "owl"]))).toBe("dog owl dog owl");
  });
});

const TOKENS = ["the", "dog", "a,b", "back\\slash", "dog house"];
const vocabulary = buildVocabulary(
  "run",
  TOKENS.map((token, token_id) => ({ token_id, token, text: token, count: 1, class: null })),
  [],
);

describe("words of the lab", () => {
  it("survive a round trip through a link, with order and repetitions", () => {
    for (const ids of [[1, 0, 1], [2, 3, 4], []])
      expect(labIdsOf(formatLabWords(ids, vocabulary), vocabulary)).toEqual(ids);
  });

  it("are dropped if unknown, and limited in number", () => {
    expect(labIdsOf("cat,dog,,<b>", vocabulary)).toEqual([1]);
    expect(parseLabWords("dog,".repeat(1_000))).toHaveLength(32);
  });

  it("are those of the link, or examples from the text", () => {
    const nothing = { of: "", to: "" };
    expect(analogyWords({ of: "dog,the,dog" }, vocabulary)).toEqual([1, 0, 1]);
    expect(axisEnds({ of: "dog,the", to: "dog house" }, vocabulary)).toEqual([[1, 0], [4]]);
    expect(axisEnds({ of: "dog", to: "unknown" }, vocabulary)).toEqual([[1], [0]]);
    expect(labPairs({ of: "dog,the,dog,dog house,dog,dog,the" }, vocabulary)).toEqual([
      [1, 0],
      [1, 4],
    ]);
    const town = buildVocabulary(
      "town",
      ["king", "man", "woman", "dog", "cat"].map((token, token_id) => ({
        ...{ token_id, token, text: token, count: 1, class: null },
      })),
      [],
    );
    expect(analogyWords(nothing, town)).toEqual([0, 1, 2]);
    expect(axisEnds(nothing, town)).toEqual([[1], [2]]);
    expect(labPairs(nothing, town)).toEqual([[3, 4]]);
    expect(labPairs(nothing, vocabulary)).toEqual([[1, 0]]);
  });
});
