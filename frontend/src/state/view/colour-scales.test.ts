import { describe, expect, it } from "vitest";
import { NEVER } from "../../api/frames";
import {
  AGE_EDGES,
  stepsSinceLit,
  BANDS,
  roundEdges,
  idsInEntry,
  kindScale,
  valueScale,
} from "./colour-scales";

describe("the scale of a quantity", () => {
  it("never take what is not known for zero", () => {
    const values = Float32Array.from([NaN, 0, 0.5, 3, NaN]);
    const scale = valueScale("moved", values, [1, 2], { resting: 0 });
    const named = Array.from(scale.entryOf, (place) => scale.entries[place]!.key);
    expect(named).toEqual(["unknown", "rest", "b0", "b2", "unknown"]);
    expect(scale.entries.map(({ count }) => count)).toEqual([1, 0, 1, 1, 2]);
    expect([scale.least, scale.greatest]).toEqual([0.5, 3]);
    expect(idsInEntry(scale, "unknown")).toEqual([0, 4]);
    expect(idsInEntry(scale, null)).toEqual([]);
  });

  it("put a value on an edge into the band that begins there", () => {
    const scale = valueScale("frequency", Float32Array.from([0.9, 1, 9.9, 10]), [1, 10]);
    expect(Array.from(scale.entryOf)).toEqual([0, 1, 1, 2]);
    expect(scale.entries[0]).toMatchObject({ from: null, to: 1, colour: { part: 0 } });
    expect(scale.entries[2]).toMatchObject({ from: 10, to: null, colour: { part: 1 } });
  });

  it("say nothing of a scale where nothing is known", () => {
    const scale = valueScale("gradient", new Float32Array(3).fill(NaN), []);
    expect(scale.least).toBeNaN();
    expect(idsInEntry(scale, "unknown")).toEqual([0, 1, 2]);
  });

  it("are warm where a token was lit just now, and know those never lit", () => {
    const ages = stepsSinceLit(Uint32Array.from([100, 91, 90, NEVER]), NEVER, 100);
    expect(Array.from(ages)).toEqual([0, 9, 10, -1]);
    const scale = valueScale("since", ages, AGE_EDGES, { warmLow: true });
    expect(scale.entries[0]!.colour).toEqual({ part: 1 });
    expect(Array.from(scale.entryOf)).toEqual([0, 1, 2, AGE_EDGES.length + 1]);
    expect(scale.entries[AGE_EDGES.length + 1]!.other).toBe("rest");
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

describe("the scale of kinds", () => {
  it("count every token once, those in none too", () => {
    const places = [1, 2, 0, 2, 9];
    const scale = kindScale("class", ["a", "b"], [0, 5], (id) => places[id]!, 5);
    expect(scale.entries.map(({ key, count }) => [key, count])).toEqual([
      ["k0", 1],
      ["k1", 2],
      ["none", 2],
    ]);
    expect(scale.entries[1]).toMatchObject({ name: "b", colour: { kind: 5 } });
  });
});
