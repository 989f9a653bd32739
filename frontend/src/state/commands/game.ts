/** Commands of the game. */

import type { CommandScope } from "./scope";

export function gameCommands({ apply, viewSettings, openRun }: CommandScope) {
  return {
    toggleGame() {
      if (viewSettings.panel === "game") apply({ folded: true });
      else if (openRun.run) apply({ panel: "game", folded: null });
    },
  };
}
