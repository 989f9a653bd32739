/** Texts of the measures panel. */

import { count, fixed } from "./numbers";
import { percent } from "./shares";
import { table } from "./translation";

const titles: Record<string, string> = {
  loss: "Surprise on held-out text",
  accuracy: "Sums it gets right",
  circle_share: "The strongest circle of numbers",
  loss_decile: "Surprise by how frequent the word is",
  separation: "How far meanings are apart",
  purity: "Neighbours of the same kind",
  analogy: "Analogies",
  neighbour_information: "Order gained, in bits",
  consistency: "Do a relation’s pairs point the same way?",
  consistency_chance: "The same for random pairs of those kinds",
  rank: "Do related words rank each other?",
  nearest_cosine: "Similarity to the nearest word",
  rows_stayed: "Words that stayed where they began",
  anisotropy: "Do all words point one way?",
  never_lit: "Words never read",
  coverage: "Words read at least once",
  effective_rank: "Directions in use",
  length_log_count_spearman: "Vector length and frequency",
};
const more: Record<string, string> = {
  loss: "The loss in nats per word, after the same step: on up to 4,096 words held out of training and on the latest batches. Where the lines diverge it is memorising.",
  accuracy:
    "The share of right answers. What it has seen can be known by heart; what it never saw takes the rule. Dashed: guessing.",
  circle_share:
    "The share of the strongest frequency in how the numbers’ rows differ: at it, the numbers go round a circle in equal steps. Dashed: random rows of the same lengths.",
  loss_decile:
    "The loss on held-out text, in ten equal parts of it: 1 has the most frequent words, 10 the rarest.",
  separation:
    "In each layer, how much closer a word is to its sentences of the same meaning than to those of the other (silhouette): 1 far apart, 0 mixed. Dashed: what 95 of 100 shufflings of the meanings stay below. A model that has learned nothing is seen at step 0.",
  purity:
    "The share of a word’s nearest that are of its own kind (of as many as its kind has others, at most ten), averaged over kinds. Dashed: what chance gives.",
  analogy:
    "king − man + woman = ?, for each planted relation: how often the answer is the nearest row, excluding the three input words. With all words allowed fewer are right, never more:",
  neighbour_information:
    "What a word's nearest (as many as its kind has others, at most ten) tell about its kind; each bit halves the kinds that are left. Dashed: the maximum, and random lists.",
  consistency:
    "The mean cosine between the directions of every two pairs, from first word to second: 1 if all point the same way.",
  consistency_chance: "What two kinds have in common without any relation between their words.",
  rank: "The worse of their two ranks: 1 if each is the other’s nearest.",
  nearest_cosine:
    "The mean cosine with the nearest other row. Dashed: the same among as many random arrows.",
  rows_stayed:
    "Training has not turned their rows, so it has not read them. Those that stay to the end are called glitch tokens.",
  anisotropy: "The mean cosine of every two words (anisotropy). Dashed: random arrows.",
  never_lit: "Their rows are as they were before the first step.",
  coverage: "The share of all words that have been in a batch.",
  effective_rank:
    "Effective rank: how many directions the embedding really uses, out of as many as a vector has numbers. Dashed: random arrows as long.",
  length_log_count_spearman:
    "Rank correlation of a vector’s length with the logarithm of its word’s count. 0: none, 1: perfect.",
};
const lines: Record<string, string> = {
  chance: "chance",
  loss_held_out: "on held-out text, which it never read",
  loss_read: "on the text it reads",
  accuracy_read: "sums it has seen",
  accuracy_held_out: "sums it never saw",
  circle_share: "strongest frequency",
  purity_10nn: "purity of the nearest, at most ten",
  neighbour_information: "bits",
  neighbour_information_most: "maximum",
  nearest_cosine: "nearest word",
  effective_rank: "directions",
  anisotropy: "any two words",
};

export const measures = table("measures", {
  measuresPanel: {
    none: "Nothing measured yet",
    noneMore: "They are computed while the run trains.",
    /** Button below the analogies. */
    unbarred: "With all words allowed",
    /** `least`: the degrees that every other word has turned by; null: there is no other. */
    stayed: (words: number, all: number, limit: number, least: number | null, scale: number) =>
      `${count(words)} of ${count(all)} words have turned by ${fixed(limit, 2)}° at most, which is rounding` +
      (least === null ? "." : `; every other by ${fixed(least, 1)}° or more.`) +
      (scale < 0.995 ? ` Weight decay has shrunk them to ${percent(scale)}.` : ""),
    showStayed: "Show them on the map",
    titles,
    more,
    lines,
  },
} as const);
