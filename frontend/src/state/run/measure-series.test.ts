import { describe, expect, it } from "vitest";
import { groupMeasures, mergeMeasures } from "./measure-series";

describe("measures", () => {
  it("share a chart with their chance level, in order of steps", () => {
    const groups = groupMeasures([
      { step: 200, values: { coverage: 1, purity_10nn: 0.9, purity_chance: 0.02 } },
      { step: 100, values: { coverage: 0.5, purity_10nn: 0.4, "analogy past": 0.1 } },
      { step: 300, values: { effective_rank: 9, effective_rank_chance: 12, rows_stayed: 5 } },
    ]);
    const charts = ["rows_stayed", "purity", "analogy", "coverage", "effective_rank"];
    expect(groups.map(({ name }) => name)).toEqual(charts);
    groups.shift();
    expect(groups[0]!.lines.map(({ name }) => name)).toEqual(["purity_10nn", "purity_chance"]);
    expect(groups[0]!.lines[0]).toMatchObject({ steps: [100, 200], values: [0.4, 0.9] });
    expect(groups[1]!.lines[0]!.steps).toEqual([100]);
  });

  it("are merged by step, the later set wins, and they stay few and evenly spaced however long the run is", () => {
    const set = (step: number, coverage = step) => ({ step, values: { coverage } });
    expect(mergeMeasures([set(1), set(3)], [set(2), set(3, 7)])).toEqual([
      set(1),
      set(2),
      set(3, 7),
    ]);
    let known = mergeMeasures([], [set(0)]);
    for (let step = 100; step <= 500_000; step += 100) {
      known = mergeMeasures(known, [set(step)]);
      if (known.length > 600 || known.at(-1)!.step !== step) throw new Error(`at ${step}`);
    }
    const half = known.filter(({ step }) => step <= 250_000).length;
    expect(known[0]!.step).toBe(0);
    expect(half).toBeGreaterThan(100);
    expect(known.length - half).toBeGreaterThan(100);
  });

  it("show the held-out loss beside the training loss", () => {
    const groups = groupMeasures([
      { step: 0, values: { loss_held_out: 7.7, coverage: 0 } },
      { step: 100, values: { loss_held_out: 4.1, loss_read: 4, coverage: 0.5 } },
    ]);
    expect(groups.map(({ name }) => name)).toEqual(["loss", "coverage"]);
    expect(groups[0]!.lines.map(({ name }) => name)).toEqual(["loss_held_out", "loss_read"]);
    expect(groups[0]!.lines.map(({ steps }) => steps)).toEqual([[0, 100], [100]]);
  });

  it("leave out values that are not finite", () => {
    expect(groupMeasures([{ step: 1, values: { coverage: NaN } }])).toEqual([]);
  });
});
