import { describe, expect, it } from "vitest";
import type { Run } from "../../api/rest-types";
import { actionsOf, stepsToContinue } from "./run-actions";

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

describe("what one can do with a run", () => {
  it("is to replay, continue and delete one that is over", () => {
    for (const phase of ["finished", "interrupted"])
      expect(actionsOf(run(phase, 9), true)).toEqual(["replay", "continue", "remove"]);
    expect(actionsOf(run("finished", 9, { kind: "recorded" }), true)).toEqual(["replay", "remove"]);
  });

  it("is only to delete one that failed or cannot be read", () => {
    expect(actionsOf(run("failed", 0), true)).toEqual(["remove"]);
    expect(actionsOf(run("failed", 40), true)).toEqual(["remove"]);
    expect(actionsOf(run("finished", 9, { readable: false }), true)).toEqual(["remove"]);
  });

  it("is nothing while it trains, and changes nothing for a viewer", () => {
    expect(actionsOf(run("running", 9, { alive: true }), true)).toEqual([]);
    expect(actionsOf(run("finished", 9), false)).toEqual(["replay"]);
    expect(actionsOf(run("failed", 0), false)).toEqual([]);
  });

  it("is continued to its end, or beyond it", () => {
    expect(stepsToContinue(run("interrupted", 9))).toBe(0);
    expect(stepsToContinue(run("finished", 9))).toBeGreaterThan(0);
  });
});
