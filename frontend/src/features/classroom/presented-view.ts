/** The presenter's view as sent to the class. Pure. */

import type { PanelName } from "../../model/view/view-options";
import { formatViewState, type ViewState } from "../../model/view/view-state";

/** Panels that only the presenter sees; the class keeps the panel open before. */
const PRIVATE_PANELS: ReadonlySet<PanelName> = new Set(["class", "runs", "export"]);
/** The server's limit on the characters of a view. */
const MAX_CHARACTERS = 2_000;
/** Fields dropped from a view that is too long, the least important first. */
const LONG_FIELDS = [
  ["tokens", "gather", "align"],
  ["say", "second", "into", "source"],
] as const;

export type SharedPanel = Pick<ViewState, "panel" | "folded">;

/** Return whether only the presenter sees a panel. */
export function isPrivate(panel: PanelName | null): boolean {
  return panel !== null && PRIVATE_PANELS.has(panel);
}

/**
 * Return a view as a query without its question mark; null if it names no run. `shared` is the panel that the
 * class saw last, which replaces a private one.
 */
export function presentedQuery(view: ViewState, shared: SharedPanel): string | null {
  if (view.run === null) return null;
  let presented: ViewState = isPrivate(view.panel) ? { ...view, ...shared } : view;
  for (const names of [[], ...LONG_FIELDS]) {
    presented = { ...presented, ...Object.fromEntries(names.map((name) => [name, null])) };
    const query = formatViewState(presented).slice(1);
    if (query.length <= MAX_CHARACTERS) return query;
  }
  return null;
}
