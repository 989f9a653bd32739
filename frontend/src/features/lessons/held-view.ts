/** The views of the course where a file takes the server's place: what it does not hold stays out. Pure. */

import type { PackedContents } from "../../api/source";
import type { PanelName } from "../../model/view/view-options";
import type { ViewChange } from "../../model/view/view-state";

/** Panels that show nothing but what every file holds. */
const HELD: readonly PanelName[] = ["token", "district", "gathered", "measures", "run", "export"];

/** Return the panel of a view that cannot be shown; null: there is none. `packed` is null for a server, which shows all. */
export function lackingPanel(
  { panel = null }: ViewChange,
  packed: Pick<PackedContents, "answers"> | null,
): PanelName | null {
  if (!packed || panel === null || HELD.includes(panel)) return null;
  return panel === "ask" && packed.answers ? null : panel;
}

/** Return a view without the panel that cannot be shown. */
export function heldView(
  view: ViewChange,
  packed: Pick<PackedContents, "answers"> | null,
): ViewChange {
  return lackingPanel(view, packed) === null ? view : { ...view, panel: null };
}

/**
 * Return the step that a view names and that cannot be shown, and the one in its place; null: it can be shown, or none is
 * named. `heldAt` returns the step that is shown for another.
 */
export function lackingStep(
  { at = null, from = null }: ViewChange,
  heldAt: (step: number) => number,
): { wanted: number; shown: number } | null {
  const wanted = at ?? from;
  if (wanted === null || heldAt(wanted) === wanted) return null;
  return { wanted, shown: heldAt(wanted) };
}
