import { describe, expect, it } from "vitest";
import type { Run } from "../../api/rest-types";
import { actionsOf, stepsToContinue } from "./run-selection";

function run(
  phase: string,
  step: number,
  { alive = false, kind = "lamptown", readable = true } = {},
) {
  return {
    readable,
    recipe: { corpus: { kind } },
    status: { phase, step, alive },
  } as unknown as Run;
}

describe("the actions on a run", () => {
  it("are to replay, continue and delete a finished run", () => {
    for (const phase of ["finished", "interrupted"])
      expect(actionsOf(run(phase, 9), true)).toEqual(["replay", "continue", "remove"]);
    expect(actionsOf(run("finished", 9, { kind: "recorded" }), true)).toEqual(["replay", "remove"]);
  });

  it("are only to delete a failed or unreadable run", () => {
    expect(actionsOf(run("failed", 0), true)).toEqual(["remove"]);
    expect(actionsOf(run("failed", 40), true)).toEqual(["remove"]);
    expect(actionsOf(run("finished", 9, { readable: false }), true)).toEqual(["remove"]);
  });

  it("are empty while it trains, and without changes for a viewer", () => {
    expect(actionsOf(run("running", 9, { alive: true }), true)).toEqual([]);
    expect(actionsOf(run("finished", 9), false)).toEqual(["replay"]);
    expect(actionsOf(run("failed", 0), false)).toEqual([]);
  });

  it("continue a run to its end, or beyond it", () => {
    expect(stepsToContinue(run("interrupted", 9))).toBe(0);
    expect(stepsToContinue(run("finished", 9))).toBeGreaterThan(0);
  });
});
