/** Texts of the measures panel. */

import { table } from "./translation";

const titles: Record<string, string> = {
  loss: "Surprise on held-out text",
  purity: "Neighbours of the same kind",
  analogy: "Analogies",
  neighbour_information: "Order gained, in bits",
  consistency: "Do a relation’s pairs point the same way?",
  consistency_chance: "The same for random pairs of those kinds",
  rank: "Do related words rank each other?",
  nearest_cosine: "Similarity to the nearest word",
  never_lit: "Words never read",
  coverage: "Words read at least once",
  effective_rank: "Directions in use",
  length_log_count_spearman: "Vector length and frequency",
};
const more: Record<string, string> = {
  loss: "The loss in nats per word, after the same step: on up to 4,096 words held out of training and on the latest batches. Where the lines diverge it is memorising.",
  purity:
    "The share of a word’s ten nearest that are of its own kind (of fewer where its kind is small), averaged over kinds. Dashed: what chance gives.",
  analogy:
    "king − man + woman = ?, for each planted relation: how often the answer is the nearest row, excluding the three input words. With all words allowed fewer are right, never more:",
  neighbour_information:
    "What a word's ten nearest tell about its kind; each bit halves the kinds that are left. Dashed: the maximum, and random lists.",
  consistency:
    "The mean cosine between the directions of every two pairs, from first word to second: 1 if all point the same way.",
  consistency_chance: "What two kinds have in common without any relation between their words.",
  rank: "The worse of their two ranks: 1 if each is the other’s nearest.",
  nearest_cosine:
    "The mean cosine with the nearest other row. Dashed: the same among as many random arrows.",
  never_lit: "Their rows are as they were before the first step.",
  coverage: "The share of all words that have been in a batch.",
  effective_rank:
    "Effective rank: how many directions the embedding really uses, out of as many as a vector has numbers.",
  length_log_count_spearman:
    "Rank correlation of a vector’s length with the logarithm of its word’s count. 0: none, 1: perfect.",
};
const lines: Record<string, string> = {
  loss_held_out: "on held-out text, which it never read",
  loss_read: "on the text it reads",
  purity_10nn: "10-NN purity",
  purity_chance: "chance",
  analogy_chance: "chance",
  neighbour_information: "bits",
  neighbour_information_chance: "chance",
  neighbour_information_most: "maximum",
  nearest_cosine: "nearest word",
  nearest_cosine_chance: "chance",
};

export const measures = table("measures", {
  measuresPanel: {
    none: "Nothing measured yet",
    noneMore: "They are computed while the run trains.",
    /** Button below the analogies. */
    unbarred: "With all words allowed",
    titles,
    more,
    lines,
  },
} as const);
