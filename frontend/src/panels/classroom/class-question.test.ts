import { describe, expect, it } from "vitest";
import { questionOf } from "./class-question";

const DRAFT = { run: "town", token: 7, steps: 100, words: [1, 2, 7] } as const;

describe("a question to the class", () => {
  it("has what it needs and no more", () => {
    expect(questionOf({ ...DRAFT, about: "lit_next" })).toEqual({
      ...{ run: "town", about: "lit_next" },
      ...{ token: null, steps: 1, words: [] },
    });
    expect(questionOf({ ...DRAFT, about: "lit_word" })).toMatchObject({ token: 7, steps: 1 });
    expect(questionOf({ ...DRAFT, about: "moved_later" })).toMatchObject({ token: 7, steps: 100 });
    expect(questionOf({ ...DRAFT, about: "loss_later" })).toMatchObject({ token: null, words: [] });
  });

  it("never offers the word itself", () => {
    expect(questionOf({ ...DRAFT, about: "nearest" })?.words).toEqual([1, 2]);
  });

  it("is none while a word is missing", () => {
    expect(questionOf({ ...DRAFT, about: "lit_word", token: null })).toBeNull();
    expect(questionOf({ ...DRAFT, about: "nearest", words: [1] })).toBeNull();
    expect(questionOf({ ...DRAFT, about: "nearest", words: [1, 2, 3, 4, 5, 6, 8] })).toBeNull();
  });
});
