import { expect, test } from "vitest";
import { stepNumber } from "./known-run.svelte";

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
