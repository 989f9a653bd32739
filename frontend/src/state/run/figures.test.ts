import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { StepLight } from "../../model/light";
import { LossSeries } from "../live/loss-series";
import { StepFiguresQuery } from "./step-figures.svelte";
import { groupMeasures, mergeMeasures } from "./measure-series";
import type { Measures, Run } from "../../api/rest-types";
import { heldOutLoss } from "./held-out-loss";

const info = (kind: "lamptown" | "text", corpus_tokens: number) =>
  ({ recipe: { corpus: { kind } }, corpus_tokens }) as Run;

const measured: Measures[] = [
  { step: 0, values: { loss_held_out: 7.7, coverage: 0 } },
  { step: 100, values: { loss_held_out: 2.5, coverage: 0.4 } },
  { step: 150, values: { coverage: 0.5 } },
  { step: 200, values: { loss_held_out: 1.3, coverage: 0.6 } },
];

describe("the held-out loss", () => {
  it("is the newest one up to the step, with its own step", () => {
    const town = info("lamptown", 480_000);
    expect(heldOutLoss(measured, 99, town)).toEqual({ loss: 7.7, step: 0 });
    expect(heldOutLoss(measured, 199, town)).toEqual({ loss: 2.5, step: 100 });
    expect(heldOutLoss(measured, null, town)).toEqual({ loss: 1.3, step: 200 });
  });

  it("is unknown without held-out text, and says why", () => {
    const coverage = [{ step: 0, values: { coverage: 0 } }];
    expect(heldOutLoss(coverage, 5, info("lamptown", 480_000))).toBe("none");
    expect(heldOutLoss(coverage, 5, info("text", 90_000))).toBe("none");
    expect(heldOutLoss([], 5, info("text", 19_999))).toBe("short");
    expect(heldOutLoss([], 5, info("lamptown", 480_000))).toBe("unmeasured");
    expect(heldOutLoss([], 5, null)).toBe("unmeasured");
    expect(heldOutLoss(measured.slice(1), 5, null)).toBe("unmeasured");
  });
});

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

let asked: string[] = [];

/** Return the recorded loss of a step. */
const lossOf = (step: number) => 7.72 - step / 100;
const everOf = (step: number) => 168 + step;

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  vi.stubGlobal("fetch", (path: string) => {
    asked.push(path.replace("/api/runs/run/", ""));
    const step = Number(/from=(\d+)/.exec(path)![1]);
    const items = [{ step, loss: lossOf(step), ever_rows: everOf(step) }];
    return Promise.resolve(Response.json({ items }));
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

/** Return a run of 200 steps of which the page has kept some, as of a long one. */
function run() {
  const series = new LossSeries(40);
  for (let step = 1; step <= 200; step++)
    series.addPoint({ attempt: 1, step, loss: lossOf(step), norms: [], ever: everOf(step) });
  return {
    id: "run",
    displayedStep: 150,
    beat: { step: 150, loss: lossOf(150) } as StepLight,
    counters: { step: 150, ever: everOf(150) },
    series: series.chartData(),
  };
}

describe("the numbers of a step", () => {
  it("are its own at every step, or missing until the record has them", async () => {
    const shown = run();
    const figures = new StepFiguresQuery(shown);
    let looked = 0;
    for (let step = 1; step <= 200; step++) {
      const own = { loss: lossOf(step), ever: everOf(step) };
      expect(figures.at(step) ?? own).toEqual(own);
      figures.pointAt(step);
      await pass(200);
      expect(figures.at(step)).toEqual(own);
      looked += 1;
    }
    expect(looked).toBe(200);
    // Only steps that the page lacks are requested.
    expect(asked.length).toBe(200 - new Set([...shown.series.steps, shown.displayedStep]).size);
    figures.close();
  });

  it("match the step on display in header and panel", () => {
    const shown = run();
    const figures = new StepFiguresQuery({ ...shown, series: null });
    expect(figures.at(150)).toEqual({ loss: shown.beat.loss, ever: shown.counters.ever });
    expect(figures.at(149)).toBeNull();
    expect(figures.at(0)).toEqual({ loss: NaN, ever: 0 });
  });

  it("are requested only where the pointer rests", async () => {
    const figures = new StepFiguresQuery({ ...run(), series: null });
    for (const step of [3, 4, 5]) {
      figures.pointAt(step);
      await pass(50);
    }
    expect(asked).toEqual([]);
    await pass(200);
    expect(asked).toEqual(["steps?from=5&to=5&most=20"]);
    expect(figures.at(5)).toEqual({ loss: lossOf(5), ever: everOf(5) });
    figures.pointAt(null);
    expect(figures.at(5)).toBeNull();
    figures.close();
  });
});
