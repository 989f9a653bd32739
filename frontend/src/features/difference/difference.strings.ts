/** Texts of the panel about how two runs differ. */

import type { RunDifference } from "../../api/rest-types";
import type { DifferenceBy } from "../../model/view/view-options";
import { count, fixed, small } from "../../strings/numbers";
import { table } from "../../strings/translation";

const words = (n: number) => (n === 1 ? "1 word" : `${count(n)} words`);
const by: Record<DifferenceBy, string> = {
  aligned: "distance",
  raw: "distance, without turning one onto the other",
  neighbours: "neighbours that are others",
};
const moved: Record<NonNullable<RunDifference["moved"]>, string> = {
  run_ends: "This run has no later step.",
  other_ends: "The other run has no later step.",
  before_first: "Before this step one of them did not exist.",
  not_kept: "It is the nearest step that both still have.",
  other_held:
    "The other run ends where this one begins, so this run is compared with its last state: the differences are what this run’s own steps changed.",
  run_held:
    "This run ends where the other begins, so its last state is compared: the differences are what the other’s own steps changed.",
};

export const difference = table("difference", {
  with: "Compare with",
  about:
    "Two trainings side by side: which words are equal to the last bit, and which have moved apart.",
  choose: "Choose a run",
  both: "Show both maps",
  alone: "There is no other run to compare with yet. “What if …” beside the time line makes one.",
  still: "A run without training has no steps to compare.",
  file: "This file holds one run. Open it with Lamplighter to compare it with others.",
  waiting: "Comparing …",
  begins: "The difference appears with its first step.",
  /** The run on the page, and the one that it is compared with. */
  here: "this run",
  there: "the other",
  fork: (name: string, step: number, changes: string) =>
    `This run is ${name} from step ${count(step)} on, with ${changes}.`,
  parent: (name: string, step: number, changes: string) =>
    `${name} is this run from step ${count(step)} on, with ${changes}.`,
  siblings: (name: string, here: string, there: string) =>
    `Both are ${name} from some step on: this run with ${here}, the other with ${there}.`,
  none: "These runs do not come from each other. Their words are matched by spelling, and their steps by number.",
  same: "These are two steps of one run.",
  steps: (here: number, there: number) =>
    `Step ${count(here)} of this run, step ${count(there)} of the other.`,
  moved,
  twin: "Train a twin of the other as far",
  /** About the first step whose record differs; `compared`: how many were compared. */
  equal: (compared: number) =>
    `Equal to the last bit for all ${count(compared)} steps that both have.`,
  equalSoFar: (compared: number) => `Equal to the last bit for the first ${count(compared)} steps.`,
  /** `from`: the first step compared; `shared`: the last that is in the history of both. */
  first: (step: number, from: number, shared: number) => {
    if (step <= 1) return "They differ from the first step on.";
    if (from <= shared + 1)
      return `Equal to the last bit until step ${count(step)}, which differs.`;
    return `Both have step ${count(from)} first. They differ from step ${count(step)} on.`;
  },
  surprise: "Surprise",
  surpriseMore: "Loss in nats per word; lower is better.",
  batch: "this step",
  recent: (batches: number) => `last steps (mean of ${batches})`,
  heldOut: (step: number) => `held-out text, at step ${count(step)}`,
  change: "difference",
  /** About the standard errors of the differences. */
  luck: "± is how far the luck of the batch moves it (standard error, batch by batch). Less than twice that may be luck alone; only other seeds tell more.",
  apart: "How far apart",
  asleep: (equal: number, shared: number) =>
    equal === shared
      ? `All ${words(shared)} are equal to the last bit.`
      : equal
        ? `${words(equal)} of ${count(shared)} ${equal === 1 ? "is" : "are"} equal to the last bit, and ${equal === 1 ? "sleeps" : "sleep"} on the map.`
        : `None of the ${words(shared)} is equal to the last bit.`,
  half: (median: number, length: number) =>
    `Half of them are less than ${small(median)} apart; a vector is about ${small(length)} long.`,
  fitted: (fitted: number) =>
    `After turning one space onto the other by its ${count(fitted)} most frequent shared words (orthogonal Procrustes).`,
  chance: (distance: number) => `by chance ${small(distance)}`,
  earlier: (distance: number, step: number) =>
    `this run moved ${small(distance)} since step ${count(step)}`,
  kept: (kept: number, k: number, chance: number | null) =>
    `Of a word’s ${count(k)} nearest words, ${fixed(kept, 1)} are the same${
      chance === null ? "" : `; by chance it would be ${fixed(chance, 2)}`
    }.`,
  sampled: (asked: number) => `Measured on ${words(asked)}.`,
  order: "Order gained",
  purity: "neighbours of the same kind",
  information: "bits about the kind",
  ofChance: (chance: number | null | undefined) => `(chance ${fixed(chance, 2)})`,
  said: "What each says",
  most: "Words that changed most",
  mostMore: "Click one to see it on both maps.",
  by: "by",
  byOf: by,
  noWords: "No word differs.",
  unmeasured: "Not measured for long vectors, or of two lengths. Choose the neighbours.",
  onlyHere: "Near only here:",
  onlyThere: "Near only there:",
  sameNeighbours: "Its nearest words are the same in both.",
  /** By how much the surprise of this run is greater. */
  greater: (by: number) => (by > 0 ? `+${fixed(by, 3)}` : fixed(by, 3)),
  more: (words: number) => `${count(words)} more`,
  lost: (lost: number) => `${count(lost)} new`,
});
