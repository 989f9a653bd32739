/** Commands of the page itself: its parts, its shortcuts, and the viewer's preferences. */

import { isCard } from "../../model/view/view-options";
import type { PreferenceName } from "../view/preferences.svelte";
import { closeCovering, wayBackFromDirection } from "./panels";
import type { CommandScope } from "./scope";

/** Factor by which a key zooms. */
const ZOOM = 0.75;

export function pageCommands({
  apply,
  page,
  viewSettings,
  viewpoint,
  focus,
  selection,
  preferences,
}: CommandScope) {
  const foldPanel = () =>
    apply({ folded: true, ...wayBackFromDirection({ viewSettings, viewpoint }) });
  return {
    focusSearch: () => page.focusSearch(),
    showWholeMap: () => page.map()?.goHome(),
    zoomIn: () => page.map()?.zoom(ZOOM),
    zoomOut: () => page.map()?.zoom(1 / ZOOM),
    savePicture: () => page.exportPicture("save"),
    sharePicture: () => page.exportPicture("share"),
    toggleShortcuts() {
      viewSettings.shortcutsOpen = !viewSettings.shortcutsOpen;
    },
    closeShortcuts() {
      viewSettings.shortcutsOpen = false;
    },
    setPreference: (name: PreferenceName, value: boolean) => preferences.set(name, value),
    /** Clear the most recent choice; repeated calls clear one after another. */
    dismiss() {
      if (viewSettings.shortcutsOpen) viewSettings.shortcutsOpen = false;
      else if (viewSettings.coveringPanel) closeCovering({ apply, viewSettings });
      else if (selection.tool !== "pan") {
        // The first press clears the selection, the second leaves lasso mode.
        if (selection.ids.length) selection.clear();
        else selection.tool = "pan";
      } else if (viewSettings.secondMap) apply({ beside: null });
      // A panel was opened after the choice that it does not show.
      else if (viewSettings.panel !== null && !isCard(viewSettings.panel)) foldPanel();
      else if (viewSettings.panel === "district") apply({ district: null, folded: true });
      else if (focus.reference !== null)
        apply({
          token: null,
          ...viewpoint.wayBack,
          ...(viewSettings.panel === "token" && { folded: true }),
        });
      else if (viewSettings.district !== null) apply({ district: null });
      else if (viewSettings.ring) apply({ ring: null });
      else if (selection.ids.length) selection.clear();
      else if (viewSettings.panel) foldPanel();
    },
  };
}
