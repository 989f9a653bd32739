/** Texts of the step panel. */

import type { RowDifferences, StepCause } from "../../api/rest-types";
import { count } from "../../strings/numbers";
import { table } from "../../strings/translation";

type Figure = StepCause["figures"][number]["figure"];

export const stepPanel = table("stepPanel", {
  loss: (loss: string) => `Loss on this step’s text: ${loss} nats per word.`,
  estimated: (negatives: number) =>
    `An estimate: a step compares with ${count(negatives)} words drawn at random.`,
  noLoss: "Loss on this step’s text: not known.",
  heldOut: {
    at: (loss: string, step: number) =>
      `On text it never read: ${loss} at step ${count(step)}, the mean over up to 4,096 words.`,
    none: "This run has no held-out text.",
    short: "This text is too short to hold a part out: that takes 20,000 words.",
    unmeasured: "On text it never read: not measured yet.",
  },
  microscope: "Under the microscope",
  microscopeMore: "From the words of this step to the change of a single number, recomputed",
  cause: "Does this step stand out?",
  figures: {
    loss: "loss",
    gradient_norm: "gradient norm",
    rows_moved: "rows moved",
  } satisfies Record<Figure, string>,
  standsOut: (figure: string, value: string, expected: string, chance: string) =>
    `Yes: ${figure} ${value}, where the steps around it lead one to expect ${expected}. Chance alone would put ${chance} stretches of the whole run so far off.`,
  notFinite: (figure: string) => `Yes: ${figure} is no finite number.`,
  usual: (figure: string, value: string, expected: string) =>
    `No: ${figure} ${value}, where ${expected} was to be expected.`,
  notJudged:
    "This cannot be said: it is one of the first 20 steps, there are fewer than 40, or their losses were not recorded.",
  stretch: (first: string, last: string) => `${first}–${last}`,
  jump: (first: string) => `from ${first} on`,
  others: "Steps that stand out:",
  noneStandsOut: (first: number, last: number) =>
    `No step from ${count(first)} to ${count(last)} stands out.`,
  hardest: "The hardest words to guess",
  hardestMore: (words: number, share: string) =>
    `These ${words} guesses carry ${share} of the step’s whole loss`,
  hardestUsual: (share: string) => `; in the steps around it, the hardest carry ${share}.`,
  notKept: "The hardest guesses of this step were not kept.",
  farthest: "Moved farthest",
  distance: (now: string, usual: string) => `moved ${now}; usually ${usual}`,
  unread: "unknown",
  sets: "Rows of the embedding",
  inBatch: "in the batch",
  gotGradient: "got a gradient",
  moved: "moved",
  verified: "checked against the whole matrix",
  notVerified: "only rows with a gradient were checked in this step",
  same: "The same rows in all three.",
  differ: {
    read_without_gradient: "read, but without a gradient",
    gradient_without_read: "got a gradient, but not read",
    gradient_without_move: "got a gradient, but did not move",
    moved_without_read: "moved, but not read",
  } satisfies Record<keyof RowDifferences, string>,
  notKnown: "not known",
  andMore: (rows: number) => `and ${count(rows)} more`,
  river: "The gradient flows back from the loss",
  riverMore:
    "Its width is the norm of each layer’s gradient in this step (Euclidean; before clipping if it was trained here). It flows from the loss down to the embedding, whose rows are the lights.",
  riverLabel:
    "Gradient norm by layer in this step, as the width of a river from the loss down to the embedding; the numbers are beside it.",
  riverAxis: "gradient norm",
  riverScale: (end: string) => `full width: norm ${end}`,
  noRiver: "The gradients of this step were not recorded.",
  history: "Gradient norm by layer, step by step (logarithmic)",
  text: "The text of this step",
  textMore:
    "The brighter the word, the larger its row’s gradient. After the arrow: the word to guess.",
  words: "Words of the batch: arrow keys go from word to word, Enter opens one",
  target: "Only to be guessed: not read in this step unless it also occurs elsewhere",
  wordNorm: (norm: string) => `gradient norm ${norm}`,
  wordNone: "no gradient in this step",
  wordUntold: "its gradient is not among the largest, which are listed",
  moreText: (sequences: string) => `and ${sequences} more sequences`,
  showText: "Pause view and show the text",
  showTextMore: "Pause the view to read the text. Training continues.",
  fetching: "Loading the text…",
  noHistory: "Drawn from the second step on.",
  noText: "The text of this step was not kept.",
  waiting: "No step has been trained yet.",
  still: "One embedding matrix, as it is: there are no training steps to look at.",
});
