/** The presenter's view as the class gets it. Pure. */

import type { PanelName } from "../../model/view/view-options";
import { formatViewState, type ViewState } from "../../model/view/view-state";

/** Panels that are the presenter's alone: what was open before stays open for the class. */
const PRIVATE_PANELS: ReadonlySet<PanelName> = new Set(["class", "runs", "export"]);
/** Limit on the characters of a view, as the server's. */
const MOST_CHARACTERS = 2_000;
/** Fields that a view too long leaves out, those first that the class misses least. */
const LONG_FIELDS = [
  ["tokens", "gather", "align"],
  ["say", "second", "into", "source"],
] as const;

export type SharedPanel = Pick<ViewState, "panel" | "folded">;

/** Return whether a panel is the presenter's alone. */
export function isPrivate(panel: PanelName | null): boolean {
  return panel !== null && PRIVATE_PANELS.has(panel);
}

/**
 * Return a view as a query without its question mark; null if it names no run. `shared` is the panel that the class saw
 * last, which takes the place of one that is the presenter's alone.
 */
export function presentedQuery(view: ViewState, shared: SharedPanel): string | null {
  if (view.run === null) return null;
  let presented: ViewState = isPrivate(view.panel) ? { ...view, ...shared } : view;
  for (const names of [[], ...LONG_FIELDS]) {
    presented = { ...presented, ...Object.fromEntries(names.map((name) => [name, null])) };
    const query = formatViewState(presented).slice(1);
    if (query.length <= MOST_CHARACTERS) return query;
  }
  return null;
}
