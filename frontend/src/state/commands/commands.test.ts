import { describe, expect, it } from "vitest";
import type { CommandScope } from "./scope";
import { pageCommands } from "./page";
import { tokenCommands } from "./tokens";
import type { Phase } from "../../api/rest-types";
import { timeCommands } from "./time";
import type { ViewChange } from "../../model/view/view-state";
import { panelCommands } from "./panels";

/** The change that opens the panel with the usual settings. */
const OPENED = { panel: "ask", folded: null, asked: null, times: null, after: null };

/** Return the commands while a panel is open, and the changes of the view that they make. */
function commandsAt(panel: string | null) {
  const changes: ViewChange[] = [];
  const scope = {
    apply: (change: ViewChange) => changes.push(change),
    viewSettings: { panel, asked: { unsent: false } },
    server: { answers: true, presenter: true },
    openRun: { run: { vocabulary: { tokens: ["a", "dog"] } } },
  };
  const { asked } = scope.viewSettings;
  return { changes, asked, ...panelCommands(scope as unknown as CommandScope) };
}

describe("the panel for questions", () => {
  it("opens and closes, and keeps the words", () => {
    for (const [panel, change] of [
      ["ask", { folded: true }],
      ["token", { panel: "ask", folded: null }],
      [null, { panel: "ask", folded: null }],
    ] as const) {
      const { changes, toggleAsk } = commandsAt(panel);
      toggleAsk();
      expect(changes).toEqual([change]);
    }
  });

  it("sends the words of a card or of the line below the map, and adopts a question", () => {
    const {
      changes,
      asked,
      askAbout,
      askModel,
      takeAsked,
      showAnswer,
      chooseExperiment,
      lookAtHead,
    } = commandsAt(null);
    askAbout([0, 1]);
    expect(asked.unsent).toBe(true);
    askModel("what_if", "the dog meowed");
    takeAsked({ say: "the dog", times: 3 });
    showAnswer("0123456789abcdef");
    chooseExperiment("bench");
    asked.unsent = false;
    lookAtHead("2.3", "fig owl fig owl", 250);
    expect(asked.unsent).toBe(true);
    expect(changes).toEqual([
      { ...OPENED, ask: "speak", say: "a dog" },
      { ...OPENED, ask: "what_if", say: "the dog meowed" },
      { asked: null, say: "the dog", times: 3 },
      { asked: "0123456789abcdef" },
      { ask: "bench", asked: null },
      {
        ...{ panel: "ask", folded: null, asked: null, ask: "probe", say: "fig owl fig owl" },
        ...{ head: "2.3", at: 250, second: null, other: null },
      },
    ]);
  });
});

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

describe("Esc", () => {
  it("closes the help, then the second map, then the word", () => {
    const viewSettings = {
      shortcutsOpen: true,
      secondMap: "step:0" as string | null,
      panel: "token",
      district: null,
      ring: null,
    };
    const put: string[] = [];
    const scope = {
      apply(change: object) {
        put.push(...Object.keys(change));
        if ("beside" in change) viewSettings.secondMap = null;
      },
      viewSettings,
      viewpoint: { wayBack: {} },
      focus: { reference: "dog" },
      selection: { tool: "pan", ids: [] },
    };
    const commands = pageCommands(scope as unknown as CommandScope);
    commands.dismiss();
    expect([viewSettings.shortcutsOpen, put]).toEqual([false, []]);
    commands.dismiss();
    expect(put).toEqual(["beside"]);
    commands.dismiss();
    expect(put).toEqual(["beside", "token", "folded"]);
  });

  it("closes a panel that was opened after the word first", () => {
    const applied: object[] = [];
    const viewSettings = {
      panel: "ask" as string | null,
      district: null,
      geometry: { arrow: null },
    };
    const scope = {
      apply(change: object) {
        applied.push(change);
        viewSettings.panel = null;
      },
      viewSettings,
      viewpoint: { wayBack: {} },
      focus: { reference: "dog" },
      selection: { tool: "pan", ids: [] },
    };
    const commands = pageCommands(scope as unknown as CommandScope);
    commands.dismiss();
    commands.dismiss();
    expect(applied).toEqual([{ folded: true }, { token: null }]);
  });

  it("closes a direction together with its panel, and restores the earlier look", () => {
    const applied: object[] = [];
    const geometry = { arrow: { from: [1], to: [2] } as object | null };
    const scope = {
      apply: (change: object) => applied.push(change),
      viewSettings: { panel: "geometry", district: null, geometry },
      viewpoint: { wayBack: { look: null } },
      focus: { reference: null },
      selection: { tool: "pan", ids: [] },
    };
    const commands = pageCommands(scope as unknown as CommandScope);
    commands.dismiss();
    geometry.arrow = null;
    commands.dismiss();
    expect(applied).toEqual([{ folded: true, look: null }, { folded: true }]);
  });
});

it("the path of a word goes when another is chosen, and stays when the same one is", () => {
  const applied: object[] = [];
  const viewpoint = { sought: null };
  const viewSettings = { showsWay: true };
  const scope = { apply: (change: object) => applied.push(change), focus: { token: 3 } };
  const commands = tokenCommands({ ...scope, viewpoint, viewSettings } as unknown as CommandScope);
  commands.goToToken(7);
  expect(applied.pop()).toMatchObject({ token: 7, trails: null, over: null });
  commands.chooseToken(3);
  expect(applied.pop()).not.toHaveProperty("trails");
  viewSettings.showsWay = false;
  commands.chooseToken(7);
  expect(applied.pop()).not.toHaveProperty("over");
});
