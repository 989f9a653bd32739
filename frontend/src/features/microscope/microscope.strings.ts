/** Texts of the place where one training step is looked at under the microscope; they load with it. */

import type { RiverFlag } from "../../api/rest-types";
import { chance } from "../../strings/amounts";
import { ask } from "../../strings/ask";
import { count } from "../../strings/numbers";
import { table } from "../../strings/translation";

export const microscope = table("microscope", {
  title: "Under the microscope",
  step: (step: number) => `Step ${count(step)}`,
  close: "Close the microscope",
  open: (step: number) => `Open step ${count(step)}`,
  opens:
    "One training step, recomputed live: from the words it read to the change of a single number.",
  first: "Nothing has been learned before the first step. Go to any later step.",
  recorded: "This run was recorded in another program, so its steps cannot be recomputed here.",
  viewer:
    "This browser can only watch. To open a step, use the link that Lamplighter printed when it started. You see the steps opened so far.",
  inClass: "Your presenter opens the steps. You see each of them here.",
  file: "This page is a file without the model. You see the steps opened before it was saved.",
  nothingYet: "No step has been opened yet.",
  moved: (shown: number, now: number) =>
    `This is step ${count(shown)}. You are at step ${count(now)}.`,
  backTo: (step: number) => `Back to step ${count(step)}`,
  waiting: ask.waiting,
  cancel: ask.cancel,
  broken: ask.broken,
  confirm: "Open it anyway",
  stations: "One step, from words to a changed number",

  symbol: {
    name: "What it read",
    term: "symbols",
    more: "The brighter a word, the surer the model was that it comes: its probability before this step.",
    words: "Words of the step. Arrow keys go from word to word; Enter follows the row of a word",
    word: (word: string, p: number | null, after: number | null) =>
      p === null
        ? `“${word}”: the first word, which is not guessed`
        : `“${word}”: the model found it ${chance(p)} likely, after the step ${chance(after)}`,
    guesses: (words: string) => `After “${words}” it guessed`,
    /** The sentence about a row's word that the text shown does not read. */
    unread: (word: string, times: number) =>
      times ? `“${word}” is in another text of this step.` : `This step did not read “${word}”.`,
    truth: "the word that came",
    place: (rank: number) => `place ${count(rank)}`,
    chance,
    sequence: (sequence: number, all: number) => `text ${count(sequence + 1)} of ${count(all)}`,
    previous: "The text before",
    next: "The next text",
  },

  vector: {
    name: "It becomes numbers",
    term: "vector: its embedding",
    of: (numbers: number) => `For the model a word is these ${count(numbers)} numbers:`,
    strip: (word: string) => `Numbers of “${word}”: arrow keys choose one, Enter follows it`,
    number: (coordinate: number) => `number ${count(coordinate)}`,
    value: (coordinate: number, value: string) => `number ${count(coordinate)}: ${value}`,
    negative: "below zero",
    positive: "above",
    first: (shown: number, all: number) => `The first ${count(shown)} of ${count(all)} are shown.`,
    follow: (word: string, coordinate: number) => `Follow “${word}”, number ${count(coordinate)}`,
    unasked: (word: string) =>
      `You see “${word}”: no other word has been followed at this step yet.`,
  },

  transformation: {
    name: (products: number) => `${count(products)} matrix products`,
    term: "transformation: the forward pass",
    more: (flops: string, back: number) =>
      `Forward: ${flops} operations. Backward: ${count(back)} more matrix products.`,
    layers: "Parts of the model, in order; each opens its operations",
    layer: (flops: string) => `${flops} operations (FLOP) on the way forward`,
    operations: "Operations in order, with the sizes of their tables",
    product: "matrix product",
    linear: "One number among them, added up:",
    linearTerm: (name: string, layer: string, output: number, outputs: number) =>
      `y = W x + b: output ${count(output)} of ${count(outputs)} of “${name}” in ${layer}, at the last word of the text`,
    bars: (terms: number) => `${count(terms)} products, each added to the sum of those before it`,
    sum: (sum: string, b: string, y: string) => `${sum} + ${b} = ${y}`,
    sumMore: "the sum of w times x, plus b, is y",
    exact: "The model’s value is the same, to the last digit.",
    differs: (difference: string) =>
      `The model’s value differs by ${difference} because it rounds each addition.`,
  },

  gradient: {
    name: "The error flows back",
    term: "gradient, layer by layer",
    more: "The wider, the more a part wants to change.",
    label:
      "The gradient from the loss back to the rows of words, as a river; its numbers are beside it",
    loss: "surprise",
    lossTerm: "loss",
    norm: (norm: string) => `Euclidean norm of its gradient, before clipping: ${norm}`,
    flags: {
      vanishing: "runs dry",
      exploding: "overflows",
    } satisfies Record<RiverFlag, string>,
    flagsMore: (share: string, times: string) =>
      `Runs dry (vanishing): below ${share} of the widest. Overflows (exploding): above ${times} times the limit.`,
    clipped: (norm: string, limit: string, scale: string) =>
      `All together: ${norm}, above the limit of ${limit}, so it was scaled down to ${scale}.`,
    unclipped: (norm: string, limit: string) =>
      `All together: ${norm}, within the limit of ${limit}, so nothing was scaled down.`,
    clipMore: "Clipping: the norm of the whole gradient is limited, so that no step goes too far",
  },

  update: {
    name: "One number changes",
    term: "update by the optimiser",
    which: (word: string, coordinate: number) => `“${word}”, number ${count(coordinate)}`,
    gradient: ["gradient", "g, the slope of the loss"],
    mean: ["running mean m", "m, the running mean of past gradients; before this step"],
    square: ["… of squares v", "v, the running mean of squared gradients; before this step"],
    correction: [
      "warm-up (m, v)",
      "bias correction: how much of m and of v has built up after these steps",
    ],
    stride: ["step size", "the learning rate with both corrections"],
    divisor: ["divided by", "the root of v, plus epsilon"],
    rate: ["step size", "the learning rate"],
    decay: ["weight decay", "weight decay: first, every number shrinks a little towards 0"],
    correctionOf: (m: string, v: string) => `${m}, ${v}`,
    formula: "old − (step size × m ÷ divisor) = new",
    formulaPlain: "old − (step size × gradient) = new",
    stays: (value: string) => `It stays ${value}.`,
    asleep: "This word was not in the text, so its row sleeps: the optimiser leaves it as it is.",
    equal: "Matches the recording bit for bit.",
    differs: (difference: string) => `Differs by ${difference} from the recording.`,
    equalModel: "Matches the model’s number bit for bit.",
    differsModel: (difference: string) => `Differs by ${difference} from the model’s number.`,
    digest: {
      equal:
        "The recording has no numbers of this step, but a digest (a fingerprint of all of them), which matches.",
      differs:
        "The recording has no numbers of this step, only a digest (a fingerprint of all of them), which does not match.",
      none: "The recording has no numbers of this step to compare with.",
    },
    row: (equal: number, numbers: number) =>
      `${count(equal)} of ${count(numbers)} numbers of the row are equal.`,
    turned: (degrees: string) => `The word's arrow turned by ${degrees}°.`,
    turnedMore: (before: string, after: string, distance: string) =>
      `Its length was ${before} and is ${after}; it moved by ${distance}.`,
    angle: (degrees: string) => `The update points ${degrees}° away from steepest descent.`,
    angleMore: "Angle between the update and the negative gradient, over all numbers of the model",
    movedOf: (share: string, rows: number, all: number) =>
      `${share} of all numbers moved, but only ${count(rows)} of ${count(all)} words.`,
    movedMore: (moved: number, all: number) =>
      `${count(moved)} of ${count(all)} parameters changed in this step`,
  },

  helped: {
    name: "Did it help?",
    more: "Surprise (loss, in nats per word) before the step and after it: the lower the better. 0 nats: it was sure and right; 0.7: a coin toss.",
    same: (words = 0) => `on the ${count(words)} words just read`,
    other: (words = 0) => `on ${count(words)} of the next words`,
    unread: (words?: number) =>
      words ? `on ${count(words)} words it never reads` : "on words it never reads",
    unreadMore:
      "A small sample, so that each step can be measured. The loss on held-out text under Step and Measures is the mean over a larger one.",
    unmeasured: "not measured: this run has no held-out text",
    better: "better",
    worse: "worse",
    even: "the same",
    pair: (before: string, after: string) => `${before} → ${after}`,
    risen: (share: string) => `${share} of the words just read became likelier.`,
    right: (positions: number, of: number, share: string) =>
      `It had guessed ${count(positions)} of ${count(of)} words right; these still teach: ${share} of the gradient.`,
    rightNone: (of: number) => `It had guessed none of ${count(of)} words right.`,
    rightMore: "Share of the gradient at the output, summed as lengths by position",
  },
  checked: {
    equal: "This step, too, matches the recording bit for bit.",
    differs: "This step came out differently from the recording, as on another kind of computer.",
  },
} as const);
