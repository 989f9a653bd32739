/** The views of the course as far as an exported file can show them. Pure. */

import type { PackedContents } from "../../api/source";
import type { PanelName } from "../../model/view/view-options";
import type { ViewChange } from "../../model/view/view-state";

/** Panels that need only what every file holds. */
const HELD: readonly PanelName[] = ["token", "district", "gathered", "measures", "run", "export"];

/** Return the panel of a view that cannot be shown; null: none. `packed` is null for a server, which shows all. */
export function lackingPanel(
  { panel = null }: ViewChange,
  packed: Pick<PackedContents, "answers"> | null,
): PanelName | null {
  if (!packed || panel === null || HELD.includes(panel)) return null;
  return packed.answers && (panel === "ask" || panel === "experiments") ? null : panel;
}

/** Return a view without the panel that cannot be shown. */
export function heldView(
  view: ViewChange,
  packed: Pick<PackedContents, "answers"> | null,
): ViewChange {
  return lackingPanel(view, packed) === null ? view : { ...view, panel: null };
}

/**
 * Return the step of a view that cannot be shown, and the one shown in its place; null: the step can be
 * shown, or none is named. `heldAt` returns the step shown for a requested one.
 */
export function lackingStep(
  { at = null, from = null }: ViewChange,
  heldAt: (step: number) => number,
): { wanted: number; shown: number } | null {
  const wanted = at ?? from;
  if (wanted === null || heldAt(wanted) === wanted) return null;
  return { wanted, shown: heldAt(wanted) };
}
