/**
 * The panels, the skyline and the shortcuts: they load together when one of them is first opened, for a
 * script each would weigh more.
 */

import ExportPanel from "../export/ExportPanel.svelte";
import MapPanel from "../map/MapPanel.svelte";
import MatrixPanel from "../matrix/MatrixPanel.svelte";
import MeasuresPanel from "../run/MeasuresPanel.svelte";
import RunPanel from "../run/RunPanel.svelte";
import SelectionPanel from "../selection/SelectionPanel.svelte";

export { default as SkylineView } from "../map/SkylineView.svelte";
export { default as RunsPanel } from "../run/RunsPanel.svelte";
export { default as Shortcuts } from "./Shortcuts.svelte";

/** The panels that show the open run, by name. */
export const LATE_PANELS = {
  gathered: SelectionPanel,
  matrix: MatrixPanel,
  run: RunPanel,
  map: MapPanel,
  measures: MeasuresPanel,
  export: ExportPanel,
};
