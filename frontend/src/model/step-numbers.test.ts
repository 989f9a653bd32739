import { expect, test } from "vitest";
import { stepNumber } from "./step-numbers";

test("steps have their own numbers unless something else is said", () => {
  expect(stepNumber(7, [])).toBe(7);
});

test("a loop recorded now and then, gone on from a checkpoint, and gone on from another", () => {
  const stretches = [
    [0, 100, 10],
    [4, 200, 5],
  ] as const;
  expect([0, 3, 4, 6].map((step) => stepNumber(step, stretches))).toEqual([100, 130, 200, 210]);
});

test("numbers that were not kept are not made up", () => {
  expect(
    stepNumber(9, [
      [0, 0, 1],
      [5, 0, 0],
    ]),
  ).toBeNull();
});
