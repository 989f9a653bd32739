import { describe, expect, it } from "vitest";
import { areRelated, clockOffset, nameOfRun, treeOf } from "./ancestry";

const run = (id: string, from?: string, step = 0) => ({
  id,
  parent: from === undefined ? null : { run: from, step, name: "", changes: [] },
});

const RUNS = [
  run("late", "town", 900),
  run("town"),
  run("early", "town", 800),
  run("grandchild", "early", 40),
  run("alone"),
  run("orphan", "gone", 7),
];

describe("the clock of two runs", () => {
  it("counts from the run that both come from", () => {
    expect(clockOffset("early", "town", RUNS)).toBe(800);
    expect(clockOffset("town", "early", RUNS)).toBe(-800);
    expect(clockOffset("grandchild", "town", RUNS)).toBe(840);
    expect(clockOffset("grandchild", "late", RUNS)).toBe(-60);
    expect(clockOffset("orphan", "gone", RUNS)).toBe(7);
    expect(areRelated("grandchild", "late", RUNS)).toBe(true);
  });

  it("is the step for two that have nothing in common", () => {
    expect(clockOffset("town", "alone", RUNS)).toBe(0);
    expect(areRelated("town", "alone", RUNS)).toBe(false);
  });

  it("is found in a circle too", () => {
    const circle = [run("a", "b", 1), run("b", "a", 2)];
    expect(clockOffset("a", "b", circle)).toBe(-2);
  });
});

it("names runs of one name apart, and an unknown one by its id", () => {
  const runs = [
    { id: "2026-11-30-lamptown-a1b2c3", name: "Lamptown" },
    { id: "2026-11-30-lamptown-d4e5f6", name: "Lamptown" },
    { id: "2026-11-30-novels-778899", name: "Novels" },
  ];
  expect(runs.map(({ id }) => nameOfRun(id, runs))).toEqual([
    "Lamptown · a1b2c3",
    "Lamptown · d4e5f6",
    "Novels",
  ]);
  expect(nameOfRun("gone", runs)).toBe("gone");
});

describe("the tree of runs", () => {
  const shape = (runs: typeof RUNS) =>
    treeOf(runs).map(
      ({ run, depth, orphan }) => `${"-".repeat(depth)}${run.id}${orphan ? "?" : ""}`,
    );

  it("has the forks under their parents, by their steps", () => {
    expect(shape(RUNS)).toEqual(["town", "-early", "--grandchild", "-late", "alone", "orphan?"]);
  });

  it("lists each run once, whatever they claim", () => {
    expect(shape([run("a", "b", 1), run("b", "a", 2), run("self", "self", 3)])).toHaveLength(3);
  });
});
