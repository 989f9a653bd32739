/** Texts about selected tokens: their panel, and the strip on the map. */

import { count } from "./numbers";

const tokens = (n: number) => (n === 1 ? "1 token" : `${count(n)} tokens`);

export const selection = {
  selection: {
    said: (n: number) => (n ? `${tokens(n)} gathered` : "No token gathered"),
    toldWith: (n: number, some: string) => `${tokens(n)} gathered: ${some}`,
    none: "Draw around lamps on the map, or gather them here by what they have in common.",
    letGo: "Let go of these tokens",
    open: "Look at them",

    gather: "Gather",
    before: "What is gathered next",
    how: {
      new: ["Replaces", "What is gathered next replaces what was gathered before"],
      add: ["Is added", "What is gathered next is added (shift on the map)"],
      take: ["Is taken out", "What is gathered next is taken out (alt on the map)"],
    } satisfies Record<"new" | "add" | "take", [string, string]>,
    ways: "Gather tokens",
    drag: "Dragging on the map",
    drags: {
      pan: ["Moves it", "Drag the map; two fingers always do"],
      lasso: ["Lasso", "Draw around tokens, with a mouse or one finger (g)"],
      select: ["Box", "Draw a box around tokens, with a mouse or one finger"],
    } satisfies Record<"pan" | "lasso" | "select", [string, string]>,
    drawing: {
      lasso: "Draw around lamps.",
      select: "Draw a box around lamps.",
    },
    stopDrawing: "Done",
    lasso: "Gather tokens with a lasso (g)",

    district: "District",
    noDistricts: "none found yet",
    class: "Class",
    noClasses: "this text has none",
    near: "Nearest in the space",
    nearOf: (token: string) => `to ${token}`,
    nearMore: "How many; the chosen token itself comes with them.",
    noChosen: "choose a token first",
    text: "With this in them",
    textMore: "Letters, large or small",
    one: "The chosen token",
    addOne: "Add it",
    takeOne: "Take it out",
    failed: "The server did not say which these are.",

    list: "Tokens",
    more: (n: number) => `and ${count(n)} more`,
    classes: "Of classes",
    districts: "Of districts",
    others: "of none",
    of: (n: number, all: number) => `${count(n)} of ${count(all)}`,
    lit: "Lit",
    litIn: (n: number, all: number, step: number) =>
      `${count(n)} of ${count(all)} are in the batch of step ${count(step)}.`,
    noStep: "No step is shown yet.",

    alike: "How alike",
    at: (step: number, exact: boolean) =>
      `at step ${count(step)}${exact ? "" : " (nearest kept snapshot)"}`,
    aboutAlike: (pairs: number, random: number) =>
      `Every pair of them (${count(pairs)}) beside ${count(random)} pairs drawn from all tokens: mean, and how far values spread (standard deviation).`,
    measure: "measure",
    among: "these",
    random: "any pair",
    cosine: "cosine",
    distance: "distance",
    range: (least: string, most: string) => `from ${least} to ${most}`,
    two: "With two tokens or more there are pairs to measure.",
    tooMany: (most: number) => `The pairs of at most ${count(most)} tokens are measured.`,
    measuring: "Being measured.",
    table: "Pair by pair",
    tableMore:
      "Cosine above the diagonal, Euclidean distance below. Cosine 1: the rows point the same way.",

    align: "Keep them still",
    alignMore:
      "Turns and shifts every map as a whole, so that these stay as nearly where they are as that can do. It neither flips nor scales.",
    aligned: (n: number) => `Map turned so that ${tokens(n)} stay`,

    copy: "Copy the list",
    copied: "Copied.",
    download: "Download it",
    downloaded: "This page may not copy here: downloaded instead.",
    partly: (linked: number) => `The link holds the first ${count(linked)} of them.`,
    byRule: "The link holds the rule by which they were found.",
  },
} as const;
