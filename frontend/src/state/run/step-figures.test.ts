import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { StepLight } from "../../model/light";
import { LossSeries } from "../live/loss-series";
import { StepFiguresQuery } from "./step-figures.svelte";

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
