import { describe, expect, it } from "vitest";
import {
  lastAtOrBefore,
  lastRefAt,
  likelySteps,
  mapAt,
  rangeOfStep,
  sortByStep,
  spreadSteps,
} from "./step-ranges";

describe("ranges of steps", () => {
  it("are disjoint and leave no step out", () => {
    expect(rangeOfStep(0)).toEqual({ first: 1, last: 64 });
    let end = 0;
    for (let step = 1; step <= 200; step++) {
      const { first, last } = rangeOfStep(step);
      expect(first <= step && step <= last).toBe(true);
      if (step > end) {
        expect(first).toBe(end + 1);
        end = last;
      }
    }
  });
});

describe("the item of a step", () => {
  const made = [0, 3, 7, 8].map((step) => ({ attempt: 1, step }));

  it("is the last one at or before it", () => {
    expect([0, 1, 3, 6, 7, 8, 900].map((step) => lastRefAt(made, step))).toEqual([
      0, 0, 1, 1, 2, 3, 3,
    ]);
    expect(lastRefAt(made.slice(1), 2)).toBe(-1);
    expect(lastRefAt([], 2)).toBe(-1);
    expect(lastAtOrBefore([0, 3], Infinity)).toBe(1);
  });

  it("is the last of several for one step, in any order of arrival", () => {
    const unsorted = [7, 3, 3, 9].map((step, i) => ({ attempt: i, step }));
    expect(sortByStep(unsorted)).toEqual([
      { attempt: 2, step: 3 },
      { attempt: 0, step: 7 },
      { attempt: 3, step: 9 },
    ]);
  });
});

describe("the likely next steps", () => {
  it("continue a drag, or are the neighbours of the step on display", () => {
    expect(likelySteps(100, -7, true)).toEqual([93, 86, 79]);
    expect(likelySteps(100, 0, true)).toContain(101);
    expect(likelySteps(100, 1, false).slice(0, 2)).toEqual([101, 99]);
    expect(likelySteps(100, -1, false).slice(0, 2)).toEqual([99, 101]);
  });
});

describe("the steps that a drag may pass", () => {
  it("are spread over the run, far apart first, each in the middle of its range", () => {
    const steps = spreadSteps(5_000);
    expect(steps).toHaveLength(64);
    expect(steps.slice(0, 4).map((step) => Math.round(step / 1_250))).toEqual([0, 2, 1, 3]);
    const sorted = steps.toSorted((a, b) => a - b);
    expect(Math.max(...sorted.slice(1).map((step, i) => step - sorted[i]!))).toBeLessThan(192);
    for (const step of steps) expect(step - rangeOfStep(step).first).toBe(32);
  });

  it("are distinct, and exist even in a short run", () => {
    expect(spreadSteps(100).toSorted((a, b) => a - b)).toEqual([33, 97]);
    expect(spreadSteps(3)).toEqual([]);
  });
});

describe("the map at a step", () => {
  const refs = {
    umap: [126, 140].map((step) => ({ attempt: 1, step })),
    linear: [5, 130].map((step) => ({ attempt: 1, step })),
  };
  const at = (step: number, method: "umap" | "linear") => {
    const found = mapAt(refs, step, method);
    return found && [found.method, found.ref.step];
  };

  it("is the last one of the requested view", () => {
    expect(at(126, "umap")).toEqual(["umap", 126]);
    expect(at(139, "umap")).toEqual(["umap", 126]);
    expect(at(139, "linear")).toEqual(["linear", 130]);
  });

  it("is of the other view before that starts, and never a later one", () => {
    expect(at(125, "umap")).toEqual(["linear", 5]);
    expect(at(4, "umap")).toBeNull();
    expect(mapAt({ ...refs, linear: [] }, 125, "umap")).toBeNull();
  });
});
