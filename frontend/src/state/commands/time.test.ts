import { describe, expect, it } from "vitest";
import type { Phase } from "../../api/rest-types";
import type { CommandScope } from "./scope";
import { timeCommands } from "./time";

/** Return the commands of time on a live run of 40 steps, and the moves made on it. */
function commandsOn(phase: Phase) {
  const moves: string[] = [];
  const run = {
    status: { phase },
    requestedStep: null,
    newestStep: 40,
    still: false,
    timePosition: { beat: null },
    stepBy: (steps: number) => moves.push(`by ${steps}`),
    seek: (step: number) => moves.push(`to ${step}`),
    paused: false,
    pausePicture: () => moves.push("frozen"),
    cursor: null as object | null,
    goTo: ({ at, beat }: { at: number; beat: number }) => moves.push(`to ${at}, beat ${beat}`),
  };
  const commands = timeCommands({ openRun: { run } } as unknown as CommandScope);
  return { moves, run, commands };
}

const KEYS = [
  "goToFirstStep",
  "goToNewestStep",
  "stepBack",
  "stepForward",
  "jumpBack",
  "jumpForward",
  "toggleBeat",
] as const;

describe("the keys of time", () => {
  it.each(["finished", "interrupted", "failed"] as const)(
    "work at once on a run that is %s",
    (phase) => {
      const { moves, commands } = commandsOn(phase);
      for (const key of KEYS) expect(commands[key]()).toBe(true);
      expect(moves).toEqual([
        ...["to 0", "to 40", "by -1", "by 1", "by -10", "by 10"],
        "to 40, beat 1",
      ]);
    },
  );

  it("are the browser's while the picture is live and steps still come", () => {
    const { moves, commands } = commandsOn("running");
    for (const key of KEYS) expect(commands[key]()).toBe(false);
    expect(moves).toEqual([]);
  });

  it("do not pause before the first step", () => {
    const { moves, run, commands } = commandsOn("running");
    run.newestStep = 0;
    expect(commands.togglePicture()).toBe(false);
    run.newestStep = 1;
    expect(commands.togglePicture()).toBe(true);
    expect(moves).toEqual(["frozen"]);
  });
});

describe("a replay", () => {
  /** Return the view change of a replay from a step, beside a second map of this source. */
  function changesOf(step: number, secondMap: string) {
    const changes: unknown[] = [];
    const scope = {
      apply: (change: unknown) => changes.push(change),
      openRun: { run: null },
      viewSettings: { secondMap },
    };
    timeCommands(scope as unknown as CommandScope).playFrom(step);
    return changes;
  }

  it("from the start ends the comparison with an earlier step, and no other", () => {
    expect(changesOf(0, "step:5")).toEqual([{ beside: null }]);
    expect(changesOf(0, "view:linear")).toEqual([]);
    expect(changesOf(9, "step:5")).toEqual([]);
  });
});
