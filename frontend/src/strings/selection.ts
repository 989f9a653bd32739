/** Texts about selected tokens: their panel, and the strip on the map. */

import { count } from "./numbers";

const words = (n: number) => (n === 1 ? "1 word" : `${count(n)} words`);

export const selection = {
  selection: {
    said: (n: number) => (n ? `${words(n)} selected` : "No words selected"),
    toldWith: (n: number, some: string) => `${words(n)} selected: ${some}`,
    none: "Draw around words on the map, or select them here by what they have in common.",
    letGo: "Clear",
    letGoMore: "Let go of these words (Esc)",
    open: "Look at these words",

    gather: "Select",
    before: "The next words",
    how: {
      new: ["New selection", "The next words replace the selection"],
      add: ["Add", "The next words are added to the selection (Shift on the map)"],
      take: ["Remove", "The next words are taken out of the selection (Alt on the map)"],
    } satisfies Record<"new" | "add" | "take", [string, string]>,
    ways: "Select by …",
    draw: "Draw on the map",
    drawing: "Draw around words.",
    stopDrawing: "Done",

    district: "Neighbourhood",
    noDistricts: "none found yet",
    class: "True kind",
    noClasses: "this text has none",
    near: "Neighbours",
    nearOf: (token: string) => `of ${token}`,
    nearMore: "How many; the chosen word itself comes with them.",
    noChosen: "choose a word first",
    text: "Words with these letters",
    textMore: "Letters, large or small",
    one: "The chosen word",
    addOne: "Add",
    takeOne: "Remove",
    failed: "The server did not say which these are.",

    numbers: "Numbers",
    list: "Words",
    more: (n: number) => `and ${count(n)} more`,
    classes: "True kinds (known to us, not to the model)",
    districts: "Neighbourhoods",
    others: "none",
    of: (n: number, all: number) => `${count(n)} of ${count(all)}`,
    lit: "Being read",
    litIn: (n: number, all: number, step: number) =>
      `${count(n)} of ${count(all)} are read in step ${count(step)}.`,
    noStep: "No step is shown yet.",

    alike: "How alike",
    at: (step: number, exact: boolean) =>
      `at step ${count(step)}${exact ? "" : " (nearest kept snapshot)"}`,
    aboutAlike: (pairs: number, random: number) =>
      `Every pair of them (${count(pairs)}) beside ${count(random)} pairs drawn from all words: mean, and how far values spread (standard deviation).`,
    measure: "measure",
    among: "these",
    random: "any pair",
    cosine: "similarity",
    distance: "distance",
    range: (least: string, most: string) => `from ${least} to ${most}`,
    two: "With two words or more there are pairs to measure.",
    tooMany: (most: number) => `The pairs of at most ${count(most)} words are measured.`,
    measuring: "Measuring …",
    table: "Pair by pair",
    tableMore:
      "Similarity (cosine) above the diagonal, distance (Euclidean) below. Similarity 1: the vectors point the same way.",

    align: "Hold these in place",
    alignMore:
      "Rotates and shifts the whole map so that these words stay put. Nothing is flipped or stretched.",
    aligned: (n: number) => `${words(n)} held in place`,

    copy: "Copy the list",
    copied: "Copied.",
    download: "Download it",
    downloaded: "This page may not copy here: downloaded instead.",
    partly: (linked: number) => `The link holds the first ${count(linked)} of them.`,
    byRule: "The link holds the rule by which they were found.",
  },
} as const;
