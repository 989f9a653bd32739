import { describe, expect, it } from "vitest";
import type { Run } from "../../api/rest-types";
import { groupSets, selectRuns } from "./run-selection";

function run(id: string, facts: object = {}, status: object | null = {}): Run {
  return {
    id,
    name: id,
    created: 0,
    set: null,
    status: status && { step: 10, loss: 1, state: "finished", ...status },
    ...facts,
  } as unknown as Run;
}
const ids = (runs: Run[]) => runs.map(({ id }) => id).join(" ");

describe("the runs of the list", () => {
  const runs = [
    run("a", { name: "Two towns", created: 1 }, { loss: 2, step: 5 }),
    run("b", { name: "Manuals", created: 3 }, { state: "failed", loss: null, step: 50 }),
    run("c", { name: "two Manuals", created: 2 }, { state: "running", loss: 1.5, step: 20 }),
    run("d", { name: "Broken", created: 0 }, null),
  ];

  it("are those whose names have every word", () => {
    expect(ids(selectRuns(runs, "", "any", "created"))).toBe("b c a d");
    expect(ids(selectRuns(runs, " TWO ", "any", "created"))).toBe("c a");
    expect(ids(selectRuns(runs, "manuals two", "any", "created"))).toBe("c");
  });

  it("are in one state, which an unreadable run has none of", () => {
    expect(ids(selectRuns(runs, "", "training", "created"))).toBe("c");
    expect(ids(selectRuns(runs, "", "finished", "created"))).toBe("a");
    expect(ids(selectRuns(runs, "", "stopped", "created"))).toBe("b");
  });

  it("are in the order of their losses, steps or names; those without a loss come last", () => {
    expect(ids(selectRuns(runs, "", "any", "loss"))).toBe("c a b d");
    expect(ids(selectRuns(runs, "", "any", "steps"))).toBe("b c a d");
    expect(ids(selectRuns(runs, "", "any", "name"))).toBe("d b c a");
  });
});

it("members of a set stand together where the first of them stands", () => {
  const entries = [run("a"), run("m", { set: "s" }), run("b"), run("n", { set: "s" })].map(
    (one) => ({
      run: one,
    }),
  );
  const groups = groupSets(entries).map(({ set, entries }) => [
    set,
    entries.map(({ run: { id } }) => id).join(" "),
  ]);
  expect(groups).toEqual([
    [null, "a"],
    ["s", "m n"],
    [null, "b"],
  ]);
});
