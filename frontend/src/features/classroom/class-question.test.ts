import { describe, expect, it } from "vitest";
import type { ClassQuestion } from "../../api/rest-types";
import { isInCourse, questionOf } from "./class-question";

const DRAFT = { run: "town", token: 7, steps: 100, words: [1, 2, 7] } as const;

describe("a question to the class", () => {
  it("has only the fields that it needs", () => {
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

  it("is null while a word is missing", () => {
    expect(questionOf({ ...DRAFT, about: "lit_word", token: null })).toBeNull();
    expect(questionOf({ ...DRAFT, about: "nearest", words: [1] })).toBeNull();
    expect(questionOf({ ...DRAFT, about: "nearest", words: [1, 2, 3, 4, 5, 6, 8] })).toBeNull();
  });
});

describe("a prediction of the course", () => {
  it("is shown in the course, and not on a card, where the course displays it or its result", () => {
    const asked = { run: "town", part: 1, stage: 2, state: "open" } as ClassQuestion;
    const shown = (question: Partial<ClassQuestion>, lesson: string | null, run = "town") =>
      isInCourse({ ...asked, ...question }, { run, lesson });
    expect(shown({}, "1.2")).toBe(true);
    for (const elsewhere of ["1.3", "10.2", "0", null]) expect(shown({}, elsewhere)).toBe(false);
    expect(shown({}, "1.2", "other")).toBe(false);
    expect(shown({ part: null, stage: null }, "1.2")).toBe(false);
    expect(shown({ state: "closed" }, "1.4")).toBe(true);
    expect(shown({ state: "revealed" }, "10.4")).toBe(false);
  });
});
