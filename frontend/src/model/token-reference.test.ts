import { describe, expect, it } from "vitest";
import { buildVocabulary } from "../api/vocabulary";
import {
  formatTokenTexts,
  MAX_LINKED_TOKENS,
  parseTokenIds,
  parseTokenText,
  parseTokenTexts,
  referencesTo,
  referenceTo,
  tokenIdOf,
} from "./token-reference";

const vocabularyOf = (texts: string[]) =>
  buildVocabulary(
    "run",
    texts.map((token, token_id) => ({ token_id, token, text: token, count: 1, class: null })),
    [],
  );

describe("a reference to a token", () => {
  const vocabulary = vocabularyOf(["the", "dog", "the", "", "x".repeat(101), "\ud800", "a,b"]);

  it("is the token's text if unique, else its id", () => {
    expect(referencesTo([0, 1, 2, 3, 4, 5, 6, 7], vocabulary)).toEqual([
      0,
      "dog",
      2,
      3,
      4,
      5,
      "a,b",
      7,
    ]);
  });

  it("finds its token, and the first of several", () => {
    expect(tokenIdOf("dog", vocabulary)).toBe(1);
    expect(tokenIdOf("the", vocabulary)).toBe(0);
    expect(tokenIdOf(6, vocabulary)).toBe(6);
    for (const absent of [7, "unicorn", "__proto__"])
      expect(tokenIdOf(absent, vocabulary)).toBeNull();
    for (const id of vocabulary.tokens.keys())
      expect(tokenIdOf(referenceTo(id, vocabulary), vocabulary)).toBe(id);
  });

  it("is an id if texts would make the link too long", () => {
    const long = vocabularyOf(Array.from({ length: 30 }, (_, id) => `${id}${"ü".repeat(60)}`));
    const ids = [...long.tokens.keys()];
    expect(referencesTo(ids.slice(0, 5), long)).toEqual(long.tokens.slice(0, 5));
    expect(referencesTo(ids, long)).toEqual(ids);
  });
});

describe("tokens in a link", () => {
  it("survive a round trip", () => {
    const texts = ["a,b", "\\", ",", "\\,\\", " dog ", "\n", "ü🙂"];
    expect(parseTokenTexts(formatTokenTexts(texts))).toEqual(texts);
    expect(parseTokenIds("3,17,3")).toEqual([3, 17]);
  });

  it("are limited in number and length", () => {
    const many = Array.from({ length: 500 }, (_, id) => id);
    expect(parseTokenIds(many.join())).toHaveLength(MAX_LINKED_TOKENS);
    expect(parseTokenTexts(many.join())).toHaveLength(MAX_LINKED_TOKENS);
    expect(parseTokenTexts("x,".repeat(5_000))).toBeNull();
    expect(parseTokenTexts(`dog,${"x".repeat(101)}`)).toEqual(["dog"]);
    expect(parseTokenText("x".repeat(101))).toBeNull();
  });

  it("are null for unknown forms", () => {
    for (const word of ["", "3,", ",3", "3;4", "-1", "1e3", "12345678", "३"])
      expect(parseTokenIds(word)).toBeNull();
    for (const word of ["", ",", ",,", "\\"]) expect(parseTokenTexts(word)).toBeNull();
    for (const word of ["", "\ud800"]) expect(parseTokenText(word)).toBeNull();
  });
});
