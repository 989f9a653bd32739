/** The action of each shortcut; `model/shortcuts.ts` defines the keys. */

import type { Command } from "../model/shortcuts";
import type { AppState } from "../state/app-state.svelte";
import type { LiveRun } from "../state/run/live-run.svelte";

/** The parts of the page that shortcuts act on. */
export interface Reach {
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
export function shortcutActions(app: AppState, reach: Reach): Record<Command, () => unknown> {
  const { viewSettings: viewing, tokenSelection: gathered } = app;

  /** Move through time by a key, and return true; while the picture is live, do nothing and return false. */
  function travel(go: (there: LiveRun) => void): boolean {
    const { run } = app;
    if (!run || run.pastStep === null) return false;
    go(run);
    return true;
  }

  return {
    search() {
      viewing.inspectorOpen = true;
      reach.focusSearch();
    },
    pause() {
      const { run } = app;
      if (run?.paused) run.resumePicture();
      else run?.pausePicture();
    },
    live: () => app.run?.goLive(),
    back: () => travel((there) => there.stepBy(-1)),
    forward: () => travel((there) => there.stepBy(1)),
    farBack: () => travel((there) => there.stepBy(-10)),
    farForward: () => travel((there) => there.stepBy(10)),
    first: () => travel((there) => there.seek(0)),
    newest: () => travel((there) => there.seek(there.newestStep)),
    step: () => reach.step(),
    map() {
      viewing.method = viewing.view === "umap" ? "linear" : "umap";
    },
    inspector: () => viewing.toggleInspector(),
    skyline() {
      viewing.view = viewing.view === "skyline" ? "umap" : "skyline";
    },
    home: () => reach.map()?.goHome(),
    save: () => reach.save(),
    closer: () => reach.map()?.zoom(0.75),
    farther: () => reach.map()?.zoom(1 / 0.75),
    lasso() {
      gathered.tool = gathered.tool === "lasso" ? "pan" : "lasso";
    },
    escape() {
      if (gathered.tool !== "pan") {
        // The first press clears the selection, the second puts the lasso away.
        if (gathered.ids.length) gathered.clear();
        else gathered.tool = "pan";
      } else if (app.focusedToken?.token != null) app.choose(null);
      else if (viewing.district !== null) viewing.chooseDistrict(null);
      else if (viewing.ring) viewing.ring = null;
      else if (gathered.ids.length) gathered.clear();
      else if (reach.narrow() && viewing.inspectorOpen) viewing.toggleInspector();
    },
    beside: () => viewing.toggleSecondMap(),
    shortcuts() {
      app.shortcuts = !app.shortcuts;
    },
  };
}
