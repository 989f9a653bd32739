import { describe, expect, it } from "vitest";
import type { Phase } from "../../api/rest-types";
import type { CommandScope } from "./scope";
import { timeCommands } from "./time";

/** Return the commands of time on a run of 40 steps whose picture is live, and the moves made on it. */
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
    goTo: ({ at, beat }: { at: number; beat: number }) => moves.push(`to ${at}, beat ${beat}`),
  };
  return { moves, ...timeCommands({ openRun: { run } } as unknown as CommandScope) };
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
      const { moves, ...commands } = commandsOn(phase);
      for (const key of KEYS) expect(commands[key]()).toBe(true);
      expect(moves).toEqual([
        ...["to 0", "to 40", "by -1", "by 1", "by -10", "by 10"],
        "to 40, beat 1",
      ]);
    },
  );

  it("are left to the browser while the picture is live and steps still come", () => {
    const { moves, ...commands } = commandsOn("running");
    for (const key of KEYS) expect(commands[key]()).toBe(false);
    expect(moves).toEqual([]);
  });
});
