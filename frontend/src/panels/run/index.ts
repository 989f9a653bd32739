/** The panels of the run and of all runs, loaded when one of them is opened. */

export { default as RunPanel } from "./RunPanel.svelte";
export { default as RunsPanel } from "./RunsPanel.svelte";
