import { describe, expect, it } from "vitest";
import type { ViewChange } from "../../model/view/view-state";
import { askCommands } from "./ask";
import type { CommandScope } from "./scope";

/** Return the commands while a panel is open, and the changes of the view that they make. */
function commandsAt(panel: string | null) {
  const changes: ViewChange[] = [];
  const scope = {
    apply: (change: ViewChange) => changes.push(change),
    viewSettings: { panel },
    server: { answers: true },
    openRun: { run: { vocabulary: { tokens: ["a", "dog"] } } },
  };
  return { changes, ...askCommands(scope as unknown as CommandScope) };
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

  it("opens with the words of a line, and adopts a question", () => {
    const { changes, askAbout, takeAsked, showAnswer, chooseExperiment } = commandsAt(null);
    askAbout([0, 1]);
    takeAsked({ say: "the dog", times: 3 });
    showAnswer("0123456789abcdef");
    chooseExperiment("bench");
    expect(changes).toEqual([
      { panel: "ask", folded: null, say: "a dog", asked: null },
      { asked: null, say: "the dog", times: 3 },
      { asked: "0123456789abcdef" },
      { ask: "bench", asked: null },
    ]);
  });
});
