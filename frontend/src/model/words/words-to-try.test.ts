import { describe, expect, it } from "vitest";
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
