import { describe, expect, it } from "vitest";
import type { Districts } from "../../api/frames";
import { isPlantedName, namedByTokens } from "./district-names";
import { largestOwned } from "./counting";
import { parseDistrictChange } from "./district-change";

describe("a change to a neighbourhood", () => {
  it("is read from the record's message", () => {
    const read = (kind: string, message: string) => parseDistrictChange({ kind, message });
    expect(read("district-born", "A neighbourhood came together: full · bunch, 9 words.")).toEqual({
      kind: "district-born",
      name: "full · bunch",
      other: "",
      words: 9,
    });
    expect(
      read(
        "district-split",
        "The neighbourhood Sounds split: moo · oink, 8 words, is one of its own now.",
      ),
    ).toEqual({ kind: "district-split", name: "moo · oink", other: "Sounds", words: 8 });
    expect(read("district-merged", "The neighbourhood a, b became part of c.")).toEqual({
      kind: "district-merged",
      name: "a, b",
      other: "c",
      words: 0,
    });
    expect(read("district-gone", "The neighbourhood a came apart.")?.name).toBe("a");
  });

  it("is unknown in any other form", () => {
    expect(parseDistrictChange({ kind: "district-born", message: "toString" })).toBeNull();
    expect(parseDistrictChange({ kind: "toString", message: "toString" })).toBeNull();
  });
});

/** Return the mean of the largest number over every way to choose `words` of the rows. */
function mean(owners: [number, number][], words: number): number {
  const rows = owners.flatMap(([, size], process) => Array<number>(size).fill(process));
  let [sum, ways] = [0, 0];
  for (let chosen = 0; chosen < 1 << rows.length; chosen++) {
    const owned = owners.map(() => 0);
    rows.forEach((process, row) => (owned[process]! += (chosen >> row) & 1));
    if (owned.reduce((a, b) => a + b) !== words) continue;
    sum += Math.max(...owned);
    ways += 1;
  }
  return sum / ways;
}

it("tells the most that any process owns by chance, not one given process", () => {
  for (const sizes of [
    [2, 2],
    [4, 4, 4],
    [8, 2, 2],
  ]) {
    let offset = 0;
    const owners = sizes.map((size): [number, number] => [(offset += size) - size, size]);
    for (const words of [1, 2, 3]) {
      const [told, deviation] = largestOwned(owners, words);
      expect(Math.abs(told - mean(owners, words))).toBeLessThan(0.05);
      if (words === 1) expect(deviation).toBe(0);
    }
  }
  // Twenty words, eight equal processes: a given one owns 2.5, the one with the most twice that.
  const eight = Array.from({ length: 8 }, (_, at): [number, number] => [300 * at, 300]);
  expect(largestOwned(eight, 20)[0]).toBeGreaterThan(4.6);
  expect(largestOwned(eight, 20)[0]).toBeLessThan(5.2);
  expect(largestOwned(eight, 20)[1]).toBeGreaterThan(0.5);
});

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
