/** Texts about the model's two matrices: the second map, and the two neighbour lists on the card of a word. */

import { count } from "./numbers";
import { table } from "./translation";

export const twoCities = table("twoCities", {
  /** The texts over the second map. */
  map: {
    waiting: "Looking for this map…",
    file: "This file holds words only as context. Open the run with Lamplighter to see them as predictions.",
    undrawn: "This map is drawn only on request.",
    viewer: "This map has not been drawn yet. Your presenter can draw it.",
    draw: "Draw this map",
    drawing: (share: number) => `Drawing it: ${Math.round(100 * share)}\u00a0%`,
    cancel: "Cancel",
    cancelled: "Cancelled. Nothing changed.",
    older: (step: number) => `Drawn up to step ${count(step)}; training has continued since.`,
    again: "Draw it again",
    caption: (step: number) => `Words as predictions · step ${count(step)}`,
    captionMore:
      "The model keeps two lists of numbers for each word: one for reading it, one for guessing it. This map shows the second, from the latest saved model.",
  },
  /** The texts on the card of a word. */
  card: {
    title: "As context, as prediction",
    about:
      "The model has two vectors for each word: one for reading it, one for guessing it. So every word lives in two cities.",
    foretells: (word: string) => `Used like “${word}”`,
    foretellsMore: "Followed by similar words.",
    foretold: (word: string) => `Predicted like “${word}”`,
    foretoldMore: "Appear after similar words.",
    at: (step: number, exact: boolean) =>
      exact
        ? `Both at step ${count(step)}.`
        : `Both at step ${count(step)}, the latest saved model.`,
    both: (some: number, all: number) =>
      some === 0
        ? `None of the ${count(all)} words is on both lists.`
        : `${count(some)} of the ${count(all)} words ${some === 1 ? "is" : "are"} on both lists.`,
    see: "See both maps",
    waiting: "Comparing…",
  },
} as const);
