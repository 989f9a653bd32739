/** Commands of the microscope, which examines one training step. */

import type { TextPlace } from "../../model/view/microscope-place";
import { referenceTo } from "../../model/token-reference";
import type { CommandScope } from "./scope";

/** Close the panel that covers the window and reopen the previous one. */
export function closeCovering({
  apply,
  viewSettings,
}: Pick<CommandScope, "apply" | "viewSettings">) {
  const { panelBefore } = viewSettings;
  apply(panelBefore ? { panel: panelBefore, folded: null } : { folded: true });
}

export function microscopeCommands({
  apply,
  viewSettings,
  openRun,
  history,
  server,
}: CommandScope) {
  return {
    /** Close the panel that covers the window. */
    closeCovering: () => closeCovering({ apply, viewSettings }),
    /** Open the microscope on the step displayed, or close it. */
    toggleMicroscope() {
      if (!server.answers) return;
      if (viewSettings.panel === "microscope") {
        closeCovering({ apply, viewSettings });
        return;
      }
      const { run } = openRun;
      if (run && !run.paused && !run.externallyTrained && run.newestStep > 0) run.pausePicture();
      viewSettings.panelBefore = viewSettings.sidePanel;
      apply({ panel: "microscope", folded: null });
    },
    /** Record that the step that a view wanted under the microscope is open there. */
    takeStepToOpen() {
      viewSettings.stepToOpen = null;
    },
    /** Examine a word of the batch. */
    readWord(micro: TextPlace) {
      history.goOn();
      apply({ micro });
    },
    /** Follow a number in the row of a token. */
    followNumber(token: number, coordinate: number) {
      const vocabulary = openRun.run?.vocabulary;
      history.goOn();
      apply({ row: { token: vocabulary ? referenceTo(token, vocabulary) : token, coordinate } });
    },
  };
}
