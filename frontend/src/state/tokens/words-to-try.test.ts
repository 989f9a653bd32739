import { describe, expect, it } from "vitest";
import { buildVocabulary } from "../../api/vocabulary";
import { wordsToTry } from "./words-to-try";

const vocabularyOf = (...tokens: string[]) =>
  buildVocabulary(
    "run",
    tokens.map((token, token_id) => ({ token_id, token, count: 100 - token_id, class: null })),
    [],
  );

describe("the words to try", () => {
  it("are those of the town", () => {
    expect(wordsToTry(vocabularyOf("the", "paris", "dog", "because", "queen"))).toEqual([2, 4, 1]);
  });

  it("are the most common longer words of another text, whole ones also where tokens are parts", () => {
    const vocabulary = vocabularyOf(
      "the",
      ".",
      "ing",
      "Ġreturn",
      "12345",
      "▁object",
      "dog",
      "value",
    );
    expect(wordsToTry(vocabulary)).toEqual([3, 5, 7]);
    expect(wordsToTry(vocabularyOf("a", "b"))).toEqual([]);
  });
});
