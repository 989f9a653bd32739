/**
 * The stores of the page, each in its own Svelte context, so that a component's imports show what it uses.
 * The page provides them; a component takes them while it is set up.
 */

import { createContext } from "svelte";
import type { Commands } from "./commands";
import type { FrameClock } from "./frame-clock";
import type { LiveRun } from "./run/live-run.svelte";
import type { OpenRun } from "./run/open-run.svelte";
import type { ServerSession } from "./run/server-session.svelte";
import type { BiggestMovers } from "./tokens/biggest-movers.svelte";
import type { TokenFocus } from "./tokens/token-focus.svelte";
import type { TokenSelection } from "./tokens/token-selection.svelte";
import type { Following } from "./view/following.svelte";
import type { Preferences } from "./view/preferences.svelte";
import type { ViewSettings } from "./view/view-settings.svelte";
import type { Viewpoint } from "./view/viewpoint.svelte";

/** All stores that the page provides. */
export interface Stores {
  readonly commands: Commands;
  readonly server: ServerSession;
  readonly openRun: OpenRun;
  readonly viewSettings: ViewSettings;
  readonly viewpoint: Viewpoint;
  readonly focus: TokenFocus;
  readonly selection: TokenSelection;
  readonly biggestMovers: BiggestMovers;
  readonly preferences: Preferences;
  readonly following: Following;
  readonly frameClock: FrameClock;
}

const [useCommands, provideCommands] = createContext<Commands>();
const [useServer, provideServer] = createContext<ServerSession>();
const [useOpenRun, provideOpenRun] = createContext<OpenRun>();
const [useViewSettings, provideViewSettings] = createContext<ViewSettings>();
const [useViewpoint, provideViewpoint] = createContext<Viewpoint>();
const [useFocus, provideFocus] = createContext<TokenFocus>();
const [useSelection, provideSelection] = createContext<TokenSelection>();
const [useBiggestMovers, provideBiggestMovers] = createContext<BiggestMovers>();
const [usePreferences, providePreferences] = createContext<Preferences>();
const [useFollowing, provideFollowing] = createContext<Following>();
const [useFrameClock, provideFrameClock] = createContext<FrameClock>();

export {
  useBiggestMovers,
  useCommands,
  useFocus,
  useFollowing,
  useFrameClock,
  useOpenRun,
  usePreferences,
  useSelection,
  useServer,
  useViewpoint,
  useViewSettings,
};

/**
 * Return the open run. A component that uses it belongs to that run: its parent recreates it for another run.
 */
export function useRun(): LiveRun {
  const { run } = useOpenRun();
  if (!run) throw new Error("no run is open");
  return run;
}

/** Provide the stores to the current component and its descendants. */
export function provideStores(stores: Stores) {
  provideCommands(stores.commands);
  provideServer(stores.server);
  provideOpenRun(stores.openRun);
  provideViewSettings(stores.viewSettings);
  provideViewpoint(stores.viewpoint);
  provideFocus(stores.focus);
  provideSelection(stores.selection);
  provideBiggestMovers(stores.biggestMovers);
  providePreferences(stores.preferences);
  provideFollowing(stores.following);
  provideFrameClock(stores.frameClock);
}
