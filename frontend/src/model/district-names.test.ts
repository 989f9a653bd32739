import { describe, expect, it } from "vitest";
import type { Districts } from "../api/frames";
import { isPlantedName, namedByTokens } from "./district-names";

const CLASSES = ["animals", "animals (plural)", "colours"];
const VOCABULARY = {
  tokens: ["the", ".", "cat", "dog", "horse", "cow", "red", "blue", "a"],
  // The most common first; a horse is seldom spoken of.
  byCount: Uint32Array.from([1, 0, 8, 3, 2, 5, 6, 7, 4]),
  classes: CLASSES,
};

function districtsOf(names: string[], of: number[]): Districts {
  const ids = Uint32Array.from(names, (_, place) => place + 1);
  return {
    ...{ kind: "districts", attempt: 1, step: 5, time: 0, vocabulary: of.length, ids, names },
    of: Uint16Array.from(of),
  };
}

describe("the name of a district", () => {
  it("is a planted class's, or the class's with a word, or the district's own", () => {
    expect(isPlantedName("animals", CLASSES)).toBe(true);
    expect(isPlantedName("animals: cow", CLASSES)).toBe(true);
    expect(isPlantedName("animals (plural)", CLASSES)).toBe(true);
    expect(isPlantedName("animal · cow · red", CLASSES)).toBe(false);
    expect(isPlantedName("animals", [])).toBe(false);
  });

  it("is made of its most common words where it was a class's, and stays where it was not", () => {
    const found = districtsOf(
      ["animals", "red · blue", "animals: cow"],
      [0, 1, 1, 1, 1, 3, 2, 2, 3],
    );
    const renamed = namedByTokens(found, VOCABULARY);
    // The full stop and the single letter are common, but no words.
    expect(renamed.names).toEqual(["dog · cat · horse", "red · blue", "cow · a"]);
    expect(found.names[0]).toBe("animals");
    expect({ ...renamed, names: found.names }).toEqual(found);
    // The map tells by its identity whether something has changed.
    expect(namedByTokens(found, VOCABULARY)).toBe(renamed);
  });

  it("is a sign where there is nothing else", () => {
    const renamed = namedByTokens(
      districtsOf(["colours"], [0, 1, 0, 0, 0, 0, 0, 0, 1]),
      VOCABULARY,
    );
    expect(renamed.names).toEqual([". · a"]);
  });
});
