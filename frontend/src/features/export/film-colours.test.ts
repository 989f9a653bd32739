import { describe, expect, it } from "vitest";
import type { Districts } from "../../api/frames";
import { buildVocabulary } from "../../api/vocabulary";
import { filmColourScales } from "./film-colours";

const vocabulary = buildVocabulary(
  "run",
  ["a", "b", "c"].map((token, token_id) => ({
    token_id,
    token,
    text: token,
    count: 9 - token_id,
    class: null,
  })),
  [],
);
const step = (values: number[] | null, districts: Districts | null = null) => {
  return { values: values && Float32Array.from(values), districts };
};

describe("the colour scales of a film", () => {
  it("share one scale, so that a colour means the same at every step", () => {
    const steps = [step([1, NaN, 0]), step([1, 2, 100])];
    const [first, last] = filmColourScales("moved", vocabulary, steps);
    expect(first!.entryOf[0]).toBe(last!.entryOf[0]);
    expect(first!.entryOf[0]).not.toBe(last!.entryOf[2]);
    const other = (at: number) => first!.entries[first!.entryOf[at]!]!.other;
    expect([other(1), other(2)]).toEqual(["unknown", "rest"]);
    // The one legend counts over all steps.
    expect(first!.entries).toBe(last!.entries);
    expect(first!.entries.reduce((sum, { count }) => sum + count, 0)).toBe(6);
  });

  it("are identical for all steps where nothing changes", () => {
    const [first, last] = filmColourScales("frequency", vocabulary, [step(null), step(null)]);
    expect(first).toBe(last);
  });

  it("are those of each step's districts, and absent before the first", () => {
    const found = {
      names: ["x"],
      ids: Uint32Array.of(4),
      of: Uint16Array.of(1, 0, 1),
    } as unknown as Districts;
    const steps = [step(null), step(null, found), step(null, found)];
    const [before, then, after] = filmColourScales("district", vocabulary, steps);
    expect(Array.from(before!.entryOf)).toEqual([0, 0, 0]);
    expect(before!.entries[0]!.other).toBe("none");
    expect(then).toBe(after);
    expect(then!.entries[then!.entryOf[2]!]).toMatchObject({
      name: "x",
      colour: { kind: 4 },
      count: 2,
    });
  });
});
