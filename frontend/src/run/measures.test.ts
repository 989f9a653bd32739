import { describe, expect, it } from "vitest";
import { grouped } from "./measures";

describe("measures", () => {
  it("share a chart with their chance level, in order of steps", () => {
    const groups = grouped([
      { step: 200, values: { coverage: 1, purity_10nn: 0.9, purity_chance: 0.02 } },
      { step: 100, values: { coverage: 0.5, purity_10nn: 0.4, "analogy past": 0.1 } },
    ]);
    expect(groups.map(({ name }) => name)).toEqual(["purity", "analogy", "coverage"]);
    expect(groups[0]!.lines.map(({ name }) => name)).toEqual(["purity_10nn", "purity_chance"]);
    expect(groups[0]!.lines[0]).toMatchObject({ steps: [100, 200], values: [0.4, 0.9] });
    expect(groups[1]!.lines[0]!.steps).toEqual([100]);
  });

  it("leave out what is not a number", () => {
    expect(grouped([{ step: 1, values: { coverage: NaN } }])).toEqual([]);
  });
});
