/** Everything that commands act on: the stores, the history, and the parts of the page. */

import type { ViewChange } from "../../model/view/view-state";
import type { OpenRun } from "../run/open-run.svelte";
import type { ServerSession } from "../run/server-session.svelte";
import type { TokenFocus } from "../tokens/token-focus.svelte";
import type { TokenSelection } from "../tokens/token-selection.svelte";
import type { ViewHistory } from "../view/view-history";
import type { Following } from "../view/following.svelte";
import type { Preferences } from "../view/preferences.svelte";
import type { ViewSettings } from "../view/view-settings.svelte";
import type { Viewpoint } from "../view/viewpoint.svelte";

/** The parts of the page that commands act on. */
export interface PageParts {
  /** Return the map once it exists. */
  map(): { goHome(): void; zoom(factor: number): void } | undefined;
  focusSearch(): void;
  /** Export a picture of the map. */
  exportPicture(delivery: "save" | "share"): void;
}

export interface CommandScope {
  readonly server: ServerSession;
  readonly openRun: OpenRun;
  readonly viewSettings: ViewSettings;
  readonly viewpoint: Viewpoint;
  readonly focus: TokenFocus;
  readonly selection: TokenSelection;
  readonly preferences: Preferences;
  readonly following: Following;
  readonly history: ViewHistory;
  readonly page: PageParts;
  /** Apply a change of the view. */
  readonly apply: (change: ViewChange) => void;
  /** Close the open run, and go to the default one. */
  readonly leaveRun: () => void;
}
