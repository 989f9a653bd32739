/** What each shortcut does; its keys stand in `model/shortcuts`. */

import type { Command } from "../model/shortcuts";
import type { App } from "../state/app-state.svelte";
import type { LiveRun } from "../state/run/live-run.svelte";

/** What shortcuts reach of the page, as far as it is there. */
export interface Reach {
  /** The map that is looked at, flat or with heights. */
  map(): { goHome(): void; zoom(factor: number): void } | undefined;
  focusSearch(): void;
  /** Train one step. */
  step(): void;
  save(): void;
  /** The page is too narrow for the inspector to stand beside the map. */
  narrow(): boolean;
}

/** Makes the table of actions. One that returns false did nothing, and the key is the browser's. */
export function shortcutActions(app: App, reach: Reach): Record<Command, () => unknown> {
  const { viewing, gathered } = app;

  /** Keys go through time only where time stands still, or is not the present. */
  function travel(go: (there: LiveRun) => void): boolean {
    const { run } = app;
    if (!run || run.at === null) return false;
    go(run);
    return true;
  }

  return {
    search() {
      viewing.inspecting = true;
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
    first: () => travel((there) => there.stand(0)),
    newest: () => travel((there) => there.stand(there.newestStep)),
    step: () => reach.step(),
    map() {
      viewing.method = viewing.view === "umap" ? "linear" : "umap";
    },
    inspector: () => viewing.fold(),
    skyline() {
      viewing.view = viewing.view === "skyline" ? "umap" : "skyline";
    },
    home: () => reach.map()?.goHome(),
    save: () => reach.save(),
    closer: () => reach.map()?.zoom(0.75),
    farther: () => reach.map()?.zoom(1 / 0.75),
    lasso() {
      gathered.drag = gathered.drag === "lasso" ? "pan" : "lasso";
    },
    escape() {
      if (gathered.drag !== "pan") {
        // What was gathered first; then the lasso is put away.
        if (gathered.ids.length) gathered.letGo();
        else gathered.drag = "pan";
      } else if (app.selection?.token != null) app.choose(null);
      else if (viewing.district !== null) viewing.chooseDistrict(null);
      else if (viewing.ring) viewing.ring = null;
      else if (gathered.ids.length) gathered.letGo();
      else if (reach.narrow() && viewing.inspecting) viewing.fold();
    },
    beside: () => viewing.toggleBeside(),
    shortcuts() {
      app.shortcuts = !app.shortcuts;
    },
  };
}
