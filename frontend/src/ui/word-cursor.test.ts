import { describe, expect, it } from "vitest";
import { placeAfterKey, placeWithin, type WordPlace } from "./word-cursor";

const LENGTHS = [3, 1, 4];

/** Return the place after a series of keys. */
function after(keys: string, from: WordPlace = { line: 0, word: 0 }) {
  return keys.split(" ").reduce((place, key) => placeAfterKey(key, place, LENGTHS)!, from);
}

describe("the cursor of a text", () => {
  it("moves through all words across lines, and stops at either end", () => {
    const passed = [{ line: 0, word: 0 }];
    for (let i = 0; i < 9; i++) passed.push(after("ArrowRight", passed.at(-1)));
    const words = LENGTHS.flatMap((length, line) =>
      Array.from({ length }, (_, word) => ({ line, word })),
    );
    expect(passed).toEqual([...words, words.at(-1), words.at(-1)]);
    const back = [passed.at(-1)!];
    for (let i = 0; i < 8; i++) back.push(after("ArrowLeft", back.at(-1)));
    expect(back).toEqual([...words.toReversed(), words[0]]);
  });

  it("moves up and down, to the start and to the end", () => {
    expect(after("ArrowRight ArrowRight ArrowDown")).toEqual({ line: 1, word: 0 });
    expect(after("ArrowDown ArrowDown ArrowDown")).toEqual({ line: 2, word: 0 });
    expect(after("End")).toEqual({ line: 2, word: 3 });
    expect(after("End ArrowUp ArrowUp ArrowUp")).toEqual({ line: 0, word: 0 });
    expect(after("End Home")).toEqual({ line: 0, word: 0 });
  });

  it("ignores other keys", () => {
    for (const key of ["a", "Enter", "Tab", "toString"])
      expect(placeAfterKey(key, { line: 0, word: 0 }, LENGTHS)).toBeNull();
  });

  it("stays inside a text that gets shorter", () => {
    expect(placeWithin({ line: 7, word: 7 }, LENGTHS)).toEqual({ line: 2, word: 3 });
    expect(placeWithin({ line: 1, word: 7 }, LENGTHS)).toEqual({ line: 1, word: 0 });
  });
});
