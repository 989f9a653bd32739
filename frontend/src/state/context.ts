/**
 * The stores of the page, in one Svelte context. Each has a function of its own, so that a component's imports
 * show what it uses. The page provides them; a component takes them while it is set up.
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

const [useStores, provideStores] = createContext<Stores>();

export { provideStores };
export const useCommands = () => useStores().commands;
export const useServer = () => useStores().server;
export const useOpenRun = () => useStores().openRun;
export const useViewSettings = () => useStores().viewSettings;
export const useViewpoint = () => useStores().viewpoint;
export const useFocus = () => useStores().focus;
export const useSelection = () => useStores().selection;
export const useBiggestMovers = () => useStores().biggestMovers;
export const usePreferences = () => useStores().preferences;
export const useFollowing = () => useStores().following;
export const useFrameClock = () => useStores().frameClock;

/**
 * Return the open run. A component that uses it belongs to that run: its parent recreates it for another run.
 */
export function useRun(): LiveRun {
  const { run } = useOpenRun();
  if (!run) throw new Error("no run is open");
  return run;
}
