import { describe, expect, it } from "vitest";
import { NEVER } from "../../api/frames";
import {
  ageEdges,
  stepsSinceLit,
  BANDS,
  roundEdges,
  idsInEntry,
  kindScale,
  valueScale,
} from "./colour-scales";

describe("shades of a quantity", () => {
  it("never take what is not known for zero", () => {
    const values = Float32Array.from([NaN, 0, 0.5, 3, NaN]);
    const shades = valueScale("moved", values, [1, 2], { resting: 0 });
    const named = Array.from(shades.entryOf, (place) => shades.entries[place]!.key);
    expect(named).toEqual(["unknown", "rest", "b0", "b2", "unknown"]);
    expect(shades.entries.map(({ count }) => count)).toEqual([1, 0, 1, 1, 2]);
    expect([shades.least, shades.greatest]).toEqual([0.5, 3]);
    expect(idsInEntry(shades, "unknown")).toEqual([0, 4]);
    expect(idsInEntry(shades, null)).toEqual([]);
  });

  it("put a value on an edge into the band that begins there", () => {
    const shades = valueScale("frequency", Float32Array.from([0.9, 1, 9.9, 10]), [1, 10]);
    expect(Array.from(shades.entryOf)).toEqual([0, 1, 1, 2]);
    expect(shades.entries[0]).toMatchObject({ from: null, to: 1, colour: { part: 0 } });
    expect(shades.entries[2]).toMatchObject({ from: 10, to: null, colour: { part: 1 } });
  });

  it("say nothing of a scale where nothing is known", () => {
    const shades = valueScale("gradient", new Float32Array(3).fill(NaN), []);
    expect(shades.least).toBeNaN();
    expect(idsInEntry(shades, "unknown")).toEqual([0, 1, 2]);
  });

  it("are warm where a token was lit just now, and know those never lit", () => {
    const ages = stepsSinceLit(Uint32Array.from([100, 91, 90, NEVER]), NEVER, 100);
    expect(Array.from(ages)).toEqual([0, 9, 10, -1]);
    const shades = valueScale("since", ages, ageEdges, { warmLow: true });
    expect(shades.entries[0]!.colour).toEqual({ part: 1 });
    expect(Array.from(shades.entryOf)).toEqual([0, 1, 2, ageEdges.length + 1]);
    expect(shades.entries[ageEdges.length + 1]!.other).toBe("rest");
  });
});

describe("edges", () => {
  it("are round, ascending, and hold the greatest value in the last band", () => {
    const narrow = roundEdges(Float32Array.from({ length: 100 }, (_, i) => 0.02 + i / 1_000));
    expect(narrow).toEqual([0.005, 0.01, 0.02, 0.05, 0.1]);
    const wide = roundEdges(Float32Array.from({ length: 100 }, (_, i) => 10 ** (i / 20)));
    expect(wide).toEqual([1, 10, 100, 1_000, 10_000]);
    for (const edges of [narrow, wide]) expect(edges).toHaveLength(BANDS - 1);
  });

  it("do not come from what is not a positive number", () => {
    expect(roundEdges(Float32Array.from([0, NaN, -2, Infinity]))).toEqual([]);
    expect(roundEdges(Float32Array.from([0, NaN, 3])).at(-1)).toBe(2);
  });
});

describe("shades of kinds", () => {
  it("count every token once, those in none too", () => {
    const places = [1, 2, 0, 2, 9];
    const shades = kindScale("class", ["a", "b"], [0, 5], (id) => places[id]!, 5);
    expect(shades.entries.map(({ key, count }) => [key, count])).toEqual([
      ["k0", 1],
      ["k1", 2],
      ["none", 2],
    ]);
    expect(shades.entries[1]).toMatchObject({ name: "b", colour: { kind: 5 } });
  });
});
