import { describe, expect, it } from "vitest";
import type { LineSet } from "../../api/rest-types";
import type { Vocabulary } from "../../api/vocabulary";
import { lieToTell, promptsIn } from "./lie-to-tell";

const vocabularyOf = (tokens: string[]) =>
  ({ tokens, byCount: Uint32Array.from(tokens, (_, id) => id) }) as unknown as Vocabulary;
const linesOf = (...prompts: number[][]) =>
  [
    {
      step: 1,
      attempt: 1,
      lines: prompts.map((prompt) => ({ prompt, words: [], sampled: false })),
    },
  ] as unknown as LineSet[];

describe("a lie to tell", () => {
  it("is the town's own if the text has its words", () => {
    expect(lieToTell(vocabularyOf(["barked", "the", "cat"]), null)).toBe("the cat barked");
  });

  it("is a beginning of another text with a word from elsewhere", () => {
    const common = Array.from({ length: 30 }, (_, i) => `common${"x".repeat(i)}`);
    const vocabulary = vocabularyOf([...common, "window", "river", "elizabeth", "was"]);
    expect(lieToTell(vocabulary, linesOf([32, 33], [30]))).toBe("elizabeth was window");
    // A word of the beginning itself would be no surprise.
    expect(lieToTell(vocabulary, linesOf([30, 33]))).toBe("window was river");
    expect(lieToTell(vocabulary, null)).toBeNull();
    expect(promptsIn(linesOf([32, 33], [30], [30]), vocabulary)).toEqual([
      "elizabeth was",
      "window",
    ]);
  });
});
