/** The choices of a viewer: panels, colours, maps, trails and links. Pure. */

import { CHOICES, SECTIONS } from "../../api/generated/view-query";

export const PANELS = CHOICES.panel;
export type PanelName = (typeof PANELS)[number];

/** The panels of the third level, in the order of their tabs. */
export const LAB_PANELS = [
  "step",
  "matrix",
  "measures",
  "experiments",
  "cost",
  "map",
  "run",
  "export",
] as const satisfies PanelName[];

/** The panels that cover the window above the time bar; they have no tabs. */
export const COVERING_PANELS = ["microscope", "claims", "seeds"] as const satisfies PanelName[];
export type CoveringPanel = (typeof COVERING_PANELS)[number];

export function isCovering(panel: PanelName | null): panel is CoveringPanel {
  return COVERING_PANELS.some((name) => name === panel);
}

/** The panels about a choice of the viewer: a word, a neighbourhood, or several words. */
const CARDS: readonly PanelName[] = ["token", "district", "gathered"];

export function isCard(panel: PanelName): boolean {
  return CARDS.includes(panel);
}

/** Sections of a panel that a view may point out, by panel. */
export { SECTIONS };
export type SectionName = (typeof SECTIONS)[keyof typeof SECTIONS][number];

/** Return whether a panel has a section. */
export function hasSection(panel: PanelName | null, section: SectionName): boolean {
  const sections: Partial<Record<PanelName, readonly SectionName[]>> = SECTIONS;
  return panel !== null && (sections[panel]?.includes(section) ?? false);
}

export const LEVELS = ["watch", "explore", "lab"] as const;

/** How much the page shows: the map alone, a card beside it, or the panels. */
export type Level = (typeof LEVELS)[number];

/** Return the level of a panel; null for the list of runs and the class, which have none. */
export function levelOf(panel: PanelName | null): Level | null {
  if (panel === null) return "watch";
  if (panel === "runs" || panel === "class") return null;
  return isCovering(panel) || isLabPanel(panel) ? "lab" : "explore";
}

export function isLabPanel(panel: PanelName): panel is (typeof LAB_PANELS)[number] {
  return LAB_PANELS.some((name) => name === panel);
}

/** The kinds of question to the model: those with words of the viewer come first, the rest belong to the lab. */
export const EXPERIMENTS = CHOICES.ask;
export type ExperimentName = (typeof EXPERIMENTS)[number];
/** Number of kinds with words. */
const WITH_WORDS = 4;
export const WORD_EXPERIMENTS: readonly ExperimentName[] = EXPERIMENTS.slice(0, WITH_WORDS);
export const LAB_EXPERIMENTS: readonly ExperimentName[] = EXPERIMENTS.slice(WITH_WORDS);

/** Views of the geometry lab. */
export const GEOMETRY_VIEWS = CHOICES.lab;
export type GeometryView = (typeof GEOMETRY_VIEWS)[number];

export const COLOURS = CHOICES.colour;
export type ColourBy = (typeof COLOURS)[number];

/** The colourings by how far a word is from the same word in the run on the second map. */
export const DIFFERENCES = ["aligned", "raw", "neighbours"] as const satisfies ColourBy[];
export type DifferenceBy = (typeof DIFFERENCES)[number];

export function isDifference(colour: ColourBy): colour is DifferenceBy {
  return DIFFERENCES.some((name) => name === colour);
}

/** Orders for the rows of the matrix. */
export const ROW_ORDERS = CHOICES.rows;
export type RowOrder = (typeof ROW_ORDERS)[number];

/** The maps of the vocabulary, by the method of their layout. */
export const MAPS = CHOICES.map;

/** Choices of the tokens whose trails are drawn, and of the tokens the focused one is linked to. */
export const TRAIL_SETS = CHOICES.trails;
export type TrailSet = (typeof TRAIL_SETS)[number];

export const LINK_TARGETS = CHOICES.links;
export type LinkTarget = (typeof LINK_TARGETS)[number];
