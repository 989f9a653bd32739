import { describe, expect, it } from "vitest";
import type { ViewChange } from "../../model/view/view-state";
import { panelCommands } from "./panels";
import type { CommandScope } from "./scope";

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
