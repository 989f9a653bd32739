/** The action of each shortcut; `model/shortcuts.ts` defines the keys. */

import type { Command } from "../model/shortcuts";
import type { AppState } from "../state/app-state.svelte";
import type { LiveRun } from "../state/run/live-run.svelte";

/** The parts of the page that shortcuts act on. */
interface PageParts {
  /** Return the visible map, flat or as a skyline. */
  map(): { goHome(): void; zoom(factor: number): void } | undefined;
  focusSearch(): void;
  /** Ask the trainer for one step. */
  step(): void;
  save(): void;
  /** Return whether the page is too narrow for the inspector beside the map. */
  narrow(): boolean;
}

/** Make the table of actions. An action returns false to leave the key to the browser. */
export function shortcutActions(app: AppState, page: PageParts): Record<Command, () => unknown> {
  const { viewSettings, tokenSelection } = app;

  /** Move through time by a key, and return true; while the picture is live, do nothing and return false. */
  function moveInTime(move: (there: LiveRun) => void): boolean {
    const { run } = app;
    if (!run || run.pastStep === null) return false;
    move(run);
    return true;
  }

  return {
    search() {
      viewSettings.inspectorOpen = true;
      page.focusSearch();
    },
    pause() {
      const { run } = app;
      if (run?.paused) run.resumePicture();
      else run?.pausePicture();
    },
    live: () => app.run?.goLive(),
    back: () => moveInTime((there) => there.stepBy(-1)),
    forward: () => moveInTime((there) => there.stepBy(1)),
    farBack: () => moveInTime((there) => there.stepBy(-10)),
    farForward: () => moveInTime((there) => there.stepBy(10)),
    first: () => moveInTime((there) => there.seek(0)),
    newest: () => moveInTime((there) => there.seek(there.newestStep)),
    step: () => page.step(),
    map() {
      viewSettings.method = viewSettings.view === "umap" ? "linear" : "umap";
    },
    inspector: () => viewSettings.toggleInspector(),
    skyline() {
      viewSettings.view = viewSettings.view === "skyline" ? "umap" : "skyline";
    },
    home: () => page.map()?.goHome(),
    save: () => page.save(),
    closer: () => page.map()?.zoom(0.75),
    farther: () => page.map()?.zoom(1 / 0.75),
    lasso() {
      tokenSelection.tool = tokenSelection.tool === "lasso" ? "pan" : "lasso";
    },
    escape() {
      if (tokenSelection.tool !== "pan") {
        // The first press clears the selection, the second puts the lasso away.
        if (tokenSelection.ids.length) tokenSelection.clear();
        else tokenSelection.tool = "pan";
      } else if (app.focusedToken?.token != null) app.choose(null);
      else if (viewSettings.district !== null) viewSettings.chooseDistrict(null);
      else if (viewSettings.ring) viewSettings.ring = null;
      else if (tokenSelection.ids.length) tokenSelection.clear();
      else if (page.narrow() && viewSettings.inspectorOpen) viewSettings.toggleInspector();
    },
    beside: () => viewSettings.toggleSecondMap(),
    shortcuts() {
      app.shortcuts = !app.shortcuts;
    },
  };
}
