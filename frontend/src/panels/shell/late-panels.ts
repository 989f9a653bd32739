/**
 * The panels that load together when one of them is first opened: a script each would weigh more.
 */

export { default as ExportPanel } from "../export/ExportPanel.svelte";
export { default as MapPanel } from "../map/MapPanel.svelte";
export { default as RunPanel } from "../run/RunPanel.svelte";
export { default as RunsPanel } from "../run/RunsPanel.svelte";
export { default as SelectionPanel } from "../selection/SelectionPanel.svelte";
