import { describe, expect, it, test } from "vitest";
import type { LineSet, Run, Status } from "../../api/rest-types";
import { KnownRun, stepNumber } from "./known-run.svelte";
import type { LayoutMethod } from "../../api/frames";
import type { PastStore } from "../past/past-store";
import { PastSet } from "./shown-run.svelte";

function pastSet(status: Partial<Status> = {}) {
  const set = new PastSet(
    () => ({ phase: "finished", step: 100, steps: 100, smoothed: 100, ...status }) as Status,
  );
  const answers: (() => void)[] = [];
  const past = {
    invalidate: () => undefined,
    fetchLayouts: (step: number, method: LayoutMethod) =>
      new Promise((done) => answers.push(() => done({ [method]: { method, step } }))),
  } as unknown as PastStore;
  const answer = async () => {
    for (const one of answers.splice(0)) one();
    await new Promise((done) => setTimeout(done));
  };
  return { set, past, answer };
}

describe("a run that has ended", () => {
  it("rests on its last smoothed maps, and shows none until they are there", async () => {
    const { set, past, answer } = pastSet();
    set.choose(null);
    void set.fetchRest(past, true);
    expect(set.rest).toEqual({});
    await answer();
    expect(set.rest?.umap?.step).toBe(100);
    expect(set.rest?.linear?.step).toBe(100);
  });

  it("glides there when it is smoothed in view, and back to the live map", async () => {
    const { set, past, answer } = pastSet();
    expect(set.choose(past)).toBe(true);
    expect(set.rest).toBeNull();
    await answer();
    expect(set.rest?.umap?.step).toBe(100);
    set.wanted = "live";
    expect(set.choose(past)).toBe(true);
    expect(set.rest).toBeNull();
  });

  it("ignores a map that arrives after another was chosen", async () => {
    const { set, past, answer } = pastSet();
    set.choose(past);
    set.wanted = "live";
    set.choose(past);
    await answer();
    expect(set.rest).toBeNull();
  });
});

class ToldRun extends KnownRun {
  override noteStatus = (status: Partial<Status>) => super.noteStatus(status as Status);
}

function runOf(status: Partial<Status>, corpus = "lamptown"): ToldRun {
  const run = new ToldRun("2026-town");
  run.info = { recipe: { corpus: { kind: corpus } } } as Run;
  run.noteStatus(status);
  return run;
}

describe("the facts of a run", () => {
  it("use the id until there is a name", () => {
    const run = new ToldRun("2026-town");
    expect(run.name).toBe("2026-town");
    run.noteName("Too early");
    expect(run.name).toBe("2026-town");
    run.info = { name: "Town" } as Run;
    run.noteName("Village");
    expect(run.name).toBe("Village");
  });

  it("tell finished training from a dead trainer", () => {
    const told = (status: Partial<Status>) => {
      const { over, stalled, still } = runOf(status);
      return { over, stalled, still };
    };
    expect(told({ phase: "running", alive: true, step: 3 })).toEqual({ over: false, stalled: false, still: false }); // prettier-ignore
    expect(told({ phase: "running", alive: false, step: 3 })).toEqual({ over: false, stalled: true, still: false }); // prettier-ignore
    expect(told({ phase: "failed", alive: false, step: 3 })).toEqual({ over: true, stalled: false, still: false }); // prettier-ignore
    expect(told({ phase: "finished", alive: false, step: 0 })).toEqual({ over: true, stalled: false, still: true }); // prettier-ignore
  });

  it("name the steps of a history of checkpoints by its training", () => {
    const run = runOf({ phase: "finished", step: 2 }, "recorded");
    const info = { ...run.info, numbers: [[0, 0, 512], [2, 143_000, 1]] } as unknown as Run; // prettier-ignore
    run.info = info;
    expect([0, 1, 2].map((step) => run.shownNumber(step))).toEqual([0, 1, 2]);
    run.info = { ...info, history: { checkpoints: 3, problems: 0, findings: [] } };
    expect([0, 1, 2].map((step) => run.shownNumber(step))).toEqual([0, 512, 143_000]);
  });

  it("include whether it generates lines, or may yet", () => {
    expect(runOf({ phase: "running" }).speaks).toBe(true);
    const silent = runOf({ phase: "running" });
    silent.lines = [];
    expect(silent.speaks).toBe(true);
    silent.noteStatus({ phase: "finished" });
    expect(silent.speaks).toBe(false);
    silent.lines = [{} as LineSet];
    expect(silent.speaks).toBe(true);
    expect(runOf({ phase: "running" }, "recorded").speaks).toBe(false);
  });

  it("mention smoothing only if that happened here", () => {
    const run = runOf({ phase: "finished", smoothed: 40 });
    expect(run.smoothedNow).toBeNull();
    run.noteStatus({ phase: "finished", smoothed: 60 });
    expect(run.smoothedNow).toBe(60);
  });

  it("say that it cannot be shown if it never could", () => {
    const run = new ToldRun("2026-town");
    run.problem = { code: "noRun" } as unknown as ToldRun["problem"];
    expect(run.unavailable).toBe(true);
    run.info = {} as Run;
    expect(run.unavailable).toBe(false);
  });
});

test("steps keep their own numbers by default", () => {
  expect(stepNumber(7, [])).toBe(7);
});

test("a loop recorded at intervals, continued from a checkpoint, and continued from another", () => {
  const stretches = [
    [0, 100, 10],
    [4, 200, 5],
  ] as const;
  expect([0, 3, 4, 6].map((step) => stepNumber(step, stretches))).toEqual([100, 130, 200, 210]);
});

test("missing numbers stay unknown", () => {
  expect(
    stepNumber(9, [
      [0, 0, 1],
      [5, 0, 0],
    ]),
  ).toBeNull();
});
