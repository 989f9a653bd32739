/** Texts of the panel of selected words. */

import { count } from "../../strings/numbers";
import { table } from "../../strings/translation";

export const selectionPanel = table("selectionPanel", {
  none: "Draw around words on the map, or select them here by what they have in common.",

  gather: "Select",
  ways: "Select by…",
  draw: "Draw on the map",

  district: "Neighbourhood",
  noDistricts: "none found yet",
  class: "Kind",
  noClasses: "this text has none",
  near: "Neighbours",
  nearOf: (token: string) => `of ${token}`,
  nearMore: "How many; the selected word is included.",
  noChosen: "select a word first",
  text: "Words with these letters",
  textMore: "Letters, large or small",
  one: "The selected word",
  addOne: "Add",
  takeOne: "Remove",
  failed: "The server could not say which words these are.",

  numbers: "Numbers",
  more: (n: number) => `and ${count(n)} more`,
  classes: "Kinds (hidden from the model)",
  districts: "Neighbourhoods",
  others: "none",
  lit: "Being read",
  litIn: (n: number, all: number, step: number) =>
    `${count(n)} of ${count(all)} are read in step ${count(step)}.`,
  noStep: "No step is shown yet.",

  alike: "How alike",
  at: (step: number, exact: boolean) =>
    `at step ${count(step)}${exact ? "" : " (nearest snapshot)"}`,
  aboutAlike: (pairs: number, random: number) =>
    `All ${count(pairs)} pairs of them beside ${count(random)} random pairs: mean, and how far values spread (standard deviation).`,
  measure: "measure",
  among: "these",
  random: "any pair",
  cosine: "similarity",
  distance: "distance",
  range: (least: string, most: string) => `from ${least} to ${most}`,
  two: "Select at least two words to compare them.",
  tooMany: (most: number) => `At most ${count(most)} words can be compared.`,
  measuring: "Measuring…",
  table: "Pair by pair",
  tableMore:
    "Similarity (cosine) above the diagonal, distance (Euclidean) below. Similarity 1: the vectors point the same way.",

  align: "Hold these in place",
  alignMore:
    "Rotates and shifts the whole map so that these words stay put. Nothing is flipped or stretched.",

  copy: "Copy the list",
  copied: "Copied.",
  download: "Download it",
  downloaded: "Copying is blocked here, so it was downloaded.",
  partly: (linked: number) => `The link holds the first ${count(linked)} of them.`,
  byRule: "The link holds the rule that found them.",
});
