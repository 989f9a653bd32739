import { describe, expect, it } from "vitest";
import type { Districts } from "../../api/frames";
import { isPlantedName, namedByTokens } from "./district-names";

const CLASSES = ["animals", "animals (plural)", "colours"];
const VOCABULARY = {
  tokens: ["the", ".", "cat", "dog", "horse", "cow", "red", "blue", "a"],
  // Most common first; a horse is rare.
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
  it("comes from a planted class, the class with a word, or the district itself", () => {
    expect(isPlantedName("animals", CLASSES)).toBe(true);
    expect(isPlantedName("animals: cow", CLASSES)).toBe(true);
    expect(isPlantedName("animals (plural)", CLASSES)).toBe(true);
    expect(isPlantedName("animal · cow · red", CLASSES)).toBe(false);
    expect(isPlantedName("animals", [])).toBe(false);
  });

  it("consists of its most common words if it came from a class, and stays otherwise", () => {
    const found = districtsOf(
      ["animals", "red · blue", "animals: cow"],
      [0, 1, 1, 1, 1, 3, 2, 2, 3],
    );
    const renamed = namedByTokens(found, VOCABULARY);
    // The full stop and the single letter are common, but not words.
    expect(renamed.names).toEqual(["dog · cat · horse", "red · blue", "cow · a"]);
    expect(found.names[0]).toBe("animals");
    expect({ ...renamed, names: found.names }).toEqual(found);
    // The map compares by identity to see changes.
    expect(namedByTokens(found, VOCABULARY)).toBe(renamed);
  });

  it("is a punctuation mark if there is nothing else", () => {
    const renamed = namedByTokens(
      districtsOf(["colours"], [0, 1, 0, 0, 0, 0, 0, 0, 1]),
      VOCABULARY,
    );
    expect(renamed.names).toEqual([". · a"]);
  });
});
