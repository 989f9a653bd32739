import { describe, expect, it } from "vitest";
import { NEVER, type Districts } from "../../api/frames";
import { buildVocabulary } from "../../api/vocabulary";
import {
  AGE_EDGES,
  availableColour,
  stepsSinceLit,
  BANDS,
  roundEdges,
  idsInEntry,
  kindScale,
  ownerScale,
  scaleOfKinds,
  valueScale,
} from "./colour-scales";

describe("the scale of a quantity", () => {
  it("do not count unknown values as zero", () => {
    const values = Float32Array.from([NaN, 0, 0.5, 3, NaN]);
    const scale = valueScale("moved", values, [1, 2], { resting: 0 });
    const named = Array.from(scale.entryOf, (place) => scale.entries[place]!.key);
    expect(named).toEqual(["unknown", "rest", "b0", "b2", "unknown"]);
    expect(scale.entries.map(({ count }) => count)).toEqual([1, 0, 1, 1, 2]);
    expect([scale.least, scale.greatest]).toEqual([0.5, 3]);
    expect(idsInEntry(scale, "unknown")).toEqual([0, 4]);
    expect(idsInEntry(scale, null)).toEqual([]);
  });

  it("put a value on an edge into the band that starts there", () => {
    const scale = valueScale("frequency", Float32Array.from([0.9, 1, 9.9, 10]), [1, 10]);
    expect(Array.from(scale.entryOf)).toEqual([0, 1, 1, 2]);
    expect(scale.entries[0]).toMatchObject({ from: null, to: 1, colour: { part: 0 } });
    expect(scale.entries[2]).toMatchObject({ from: 10, to: null, colour: { part: 1 } });
  });

  it("are empty if nothing is known", () => {
    const scale = valueScale("gradient", new Float32Array(3).fill(NaN), []);
    expect(scale.least).toBeNaN();
    expect(idsInEntry(scale, "unknown")).toEqual([0, 1, 2]);
  });

  it("are warm for recently lit tokens, and mark those never lit", () => {
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

  it("ignore values that are not positive numbers", () => {
    expect(roundEdges(Float32Array.from([0, NaN, -2, Infinity]))).toEqual([]);
    expect(roundEdges(Float32Array.from([0, NaN, 3])).at(-1)).toBe(2);
  });
});

describe("the scale of processes", () => {
  it("gives each row to the process that owns it", () => {
    const scale = ownerScale(
      [
        [0, 2],
        [2, 2],
        [4, 1],
      ],
      5,
    );
    expect([...scale.entryOf]).toEqual([0, 0, 1, 1, 2]);
    expect(scale.entries.map(({ name, count }) => [name, count])).toEqual([
      ["0", 2],
      ["1", 2],
      ["2", 1],
      [null, 0],
    ]);
  });
});

describe("the scale of kinds", () => {
  it("count every token once, including those of no kind", () => {
    const places = [1, 2, 0, 2, 9];
    const scale = kindScale("class", ["a", "b"], [0, 5], (id) => places[id]!, 5);
    expect(scale.entries.map(({ key, count }) => [key, count])).toEqual([
      ["k0", 1],
      ["k1", 2],
      ["none", 2],
    ]);
    expect(scale.entries[1]).toMatchObject({ name: "b", colour: { kind: 5 } });
  });

  const planted = ["doing", "animals", null, "doing"].map((family, i) => {
    return { name: `class ${i}`, family };
  });
  const items = [0, 1, 1, 2, 3, null].map((of, token_id) => {
    return {
      token_id,
      token: `t${token_id}`,
      text: `t${token_id}`,
      count: 1,
      class: of === null ? null : `class ${of}`,
    };
  });
  const vocabulary = buildVocabulary("run", items, planted);
  const found = {
    ...{ ids: Uint32Array.of(3, 12), names: ["a", "b"], of: Uint16Array.of(1, 1, 0, 2, 2, 2) },
  } as unknown as Districts;

  it("of families have the classes one level deeper, in the same tints", () => {
    const scale = scaleOfKinds("family", vocabulary, null)!;
    expect(scale.entries.map(({ name, count }) => [name, count])).toEqual([
      ["doing", 2],
      ["animals", 2],
      [null, 2],
    ]);
    const classes = scale.finer!.entries.filter(({ within }) => within === "k0");
    expect(classes.map(({ key, name, count, colour }) => [key, name, count, colour])).toEqual([
      ["c0", "class 0", 1, { kind: 0 }],
      ["c3", "class 3", 1, { kind: 0 }],
    ]);
    expect(idsInEntry(scale, "k0")).toEqual([0, 4]);
    expect(idsInEntry(scale, "c3")).toEqual([4]);
    expect(idsInEntry(scale, "c9")).toEqual([]);
    expect(idsInEntry(scaleOfKinds("class", vocabulary, null), "c3")).toEqual([]);
  });

  it("of districts have a stable tint for each district", () => {
    const tintOf = (of: Districts, name: string) =>
      scaleOfKinds("district", vocabulary, of)!.entries.find((one) => one.name === name)!.colour;
    expect(tintOf(found, "b")).toEqual({ kind: 12 });
    // The other is gone, and a new one came.
    const later = { ...found, ids: Uint32Array.of(12, 13), names: ["b", "c"] };
    expect(tintOf(later, "b")).toEqual(tintOf(found, "b"));
    expect(scaleOfKinds("district", vocabulary, null)!.entries).toMatchObject([{ count: 6 }]);
  });

  it("are the available ones: families, else classes, else districts", () => {
    const classes = buildVocabulary("run", items, [{ name: "class 0" }]);
    const text = buildVocabulary("run", [], []);
    expect(availableColour("family", vocabulary)).toBe("family");
    expect(availableColour("class", vocabulary)).toBe("class");
    expect(availableColour("family", classes)).toBe("class");
    expect(availableColour("family", text)).toBe("district");
    expect(availableColour("class", text)).toBe("district");
    expect(availableColour("trust", text)).toBe("trust");
    expect(availableColour("family", null)).toBe("family");
  });
});
