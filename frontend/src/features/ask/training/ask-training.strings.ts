/** Texts of the experiments about the city and how it is trained: the bench, sizes of batches, another town, rare words, words
 * in each other's place. */

import type { AnswerTo, RuleReading, Substitute, WordGroup } from "../../../api/rest-types";
import type { Memory } from "./forgetting";
import type { OptimiserPair } from "./deciles";
import { NOTICED } from "../../../strings/amounts";
import { fine, percent } from "../../../strings/shares";
import { approximately, bytes, count, fixed, small } from "../../../strings/numbers";
import { table } from "../../../strings/translation";

const steps = (number: number) => (number === 1 ? "1 step" : `${count(number)} steps`);
const loss = (value: number | null) => fixed(value, 2);
const times = (ratio: number) => (ratio >= 10 ? count(ratio) : fixed(ratio, 1));
/** Return milliseconds with as many digits as matter. */
const milliseconds = (value: number) => (value >= 10 ? count(value) : small(value, 2));

export const SETS = ["moved", "gradient", "batch"] as const;
export type RowSet = (typeof SETS)[number];

export const bench = table("bench", {
  empty:
    "Four copies start again from the same random city and read the same batches. They differ in one thing: how the rows are updated. Which of them lets the city sleep? Guess first.",
  rule: {
    lazy: "Lazy",
    adam: "Adam",
    decay: "Adam + decay",
    tied: "One matrix",
  } satisfies Record<RuleReading["name"], string>,
  ruleMore: {
    lazy: "SparseAdam: only the rows that were read are touched.",
    adam: "Every row keeps moving by momentum, read or not.",
    decay: "In addition, every row shrinks a little at each step (AdamW).",
    tied: "Input and output are one matrix, so every row gets a gradient.",
  } satisfies Record<RuleReading["name"], string>,
  show: "Show the rows that",
  set: {
    moved: "moved",
    gradient: "got a gradient",
    batch: "were read",
  } satisfies Record<RowSet, string>,
  rows: (lit: number, all: number) => `${count(lit)} of ${count(all)}`,
  map: (rule: string, set: string, lit: number, all: number) =>
    `${rule}: ${count(lit)} of ${count(all)} rows ${set} at the last step`,
  key: (number: number) =>
    `The last of ${steps(number)}. White: the rows that its batch read. Orange: the others that are lit.`,
  counts: "Rows at the last step",
  read: "read",
  gradient: "gradient",
  moved: "moved",
  price: "What updating the matrix takes",
  memory: (part: number, whole: number) =>
    part < whole ? `${bytes(part)} of ${bytes(whole)}` : bytes(whole),
  operations: (part: number, whole: number) =>
    part < whole ? `${approximately(part)} of ${approximately(whole)}` : approximately(whole),
  priceMore:
    "By formula. The lazy rule updates only the rows with a gradient, the others all rows.",
  memoryHead: "memory moved",
  operationsHead: "operations",
  time: "What it took here",
  update: "update, ms",
  step: "whole step, ms",
  speed: (recipes: RuleReading[]) => {
    const lazy = recipes.find(({ name }) => name === "lazy");
    const adam = recipes.find(({ name }) => name === "adam");
    if (!lazy || !adam) return "";
    const saved = 1 - lazy.step_ms / adam.step_ms;
    const share = adam.update_ms / adam.step_ms;
    const end = ` Even updating every row is only ${fine(share)} of a step; the rest is predicting and learning from it.`;
    if (saved >= NOTICED)
      return `At this size a lazy step is ${fine(saved)} shorter than one of Adam.`;
    return `At this size it saves no time: a lazy step took ${milliseconds(lazy.step_ms)} ms, one of Adam ${milliseconds(adam.step_ms)} ms.${end}`;
  },
  large: "In a large model",
  largeMore: (large: NonNullable<AnswerTo<"bench">["large"]>) =>
    `A matrix of ${count(large.rows)} × ${count(large.width)}: updating ${count(large.touched)} rows took ${milliseconds(large.touched_ms)} ms, all rows ${milliseconds(large.whole_ms)} ms: ${times(large.whole_ms / large.touched_ms)} times as long.`,
  softmax: (large: NonNullable<AnswerTo<"bench">["large"]>) =>
    `But to predict ${count(large.batch_tokens)} words over so many rows takes ${times(large.softmax_flops / large.whole_flops)} times the arithmetic of updating them all. Most of the work lies elsewhere.`,
  noLarge: (reason: string) => `It was not measured here: ${reason}.`,
  fresh:
    "All four start untrained: a model with two matrices can’t be converted to one. Your run is not affected.",
});

export const batchSizes = table("batchSizes", {
  empty:
    "The run’s own batches, one after another, are joined to larger ones. Guess first: how many words must be read at once until no row sleeps?",
  slider: "Words in a batch",
  share: (share: number) => fine(share),
  lit: (tokens: number) => `of all rows are read by a batch of ${count(tokens)} words`,
  rows: (rows: number, all: number) => `${count(rows)} of ${count(all)} rows`,
  bar: (tokens: number) => count(tokens),
  head: "Words at once, and the share of the rows that they light",
  alone: (share: number) =>
    `Words drawn one by one from the whole text would light ${fine(share)} (the thin mark). Text that keeps to its topic repeats itself.`,
  own: (tokens: number) => `This run reads ${count(tokens)} words at a time.`,
  again: (tokens: number) =>
    `The text has only ${count(tokens)} words, so a larger batch reads passages more than once.`,
  verdict: (share: number, tokens: number) =>
    share >= 0.9
      ? `With ${count(tokens)} words at a time the city is fully awake. Large models read far more than that.`
      : `Even ${count(tokens)} words at a time leave ${fine(1 - share)} of the rows asleep here.`,
});

export const environment = table("environment", {
  empty: (number: number, back: number) =>
    `A copy moves to another town for ${steps(number)}: the same words, but every word’s role is swapped with another’s. Then it comes home for ${steps(back)}. Guess: what does it forget first, its answers or its map? This takes a while.`,
  memory: {
    answers: "steps: its answers",
    output: "steps: the output matrix",
    input: "steps: the input matrix, the map",
  } satisfies Record<Memory, string>,
  forgotten: "A tenth of what it knew was gone after",
  after: (step: number | null, last: number) =>
    step === null ? "–" : step === Infinity ? `> ${count(last)}` : count(step),
  verdict: (first: boolean | null, mapLast: boolean) =>
    first === null
      ? "The map cannot be judged here: no classes were planted in this text, or nothing was known yet."
      : first
        ? `The answers are forgotten first.${mapLast ? " The map that everyone looks at is the last to change." : ""}`
        : "Here the answers are not forgotten first: it had not learned much yet, or its stay was too short.",
  loss: "Loss on each town",
  lossMore: (first: string, away: string, home: string, guessing: number) =>
    `In its own town: ${first} before, ${away} after the other town, ${home} at home again. Random guessing: ${loss(guessing)}.`,
  purity: "Neighbours of the same kind",
  purityMore: (chance: number) =>
    `Of a word’s nearest neighbours (as many as its kind has others, at most ten), the share that is of its kind, by the truth of each town. By chance: ${fine(chance)}.`,
  lossValue: loss,
  own: "own town",
  other: "other town",
  inOwn: "input · own",
  inOther: "input · other",
  outOwn: "output · own",
  outOther: "output · other",
  oneMatrix: "Input and output are one matrix here.",
  axis: (turned: number | null) =>
    turned === null ? "by step in the other town" : `by step; home again after ${count(turned)}`,
  words: ({ permuted, words }: AnswerTo<"environment">) =>
    `${count(permuted)} of ${count(words)} words have swapped roles, each with a word about as frequent.`,
  unchanged: "This was a copy. Your run is not affected.",
});

export const deciles = table("deciles", {
  empty:
    "Words are sorted by frequency into groups, each about a tenth of the text. You see how well the model knows each group, and which way of training learns the rare ones.",
  now: "How surprised it is, from frequent to rare words",
  nowMore: (text: "training" | "held_out") =>
    text === "held_out"
      ? "Loss in nats on held-out text, by the word that actually comes."
      : "Loss in nats on the run’s own text, since none is held out, by the word that actually comes.",
  model: "this model",
  byCounts: "word-frequency baseline",
  guessing: "random guessing",
  group: "group",
  wordsHead: "words",
  occurrences: "times each",
  lossHead: "loss",
  range: ({ least, most }: WordGroup) =>
    least === most ? `${count(most)} ×` : `${count(least)} to ${count(most)} ×`,
  count,
  lossValue: loss,
  race: (number: number) => `Two ways of training, ${steps(number)} from the start`,
  raceMore: (sgd: number, adam: number) =>
    `Each at the best of three learning rates: plain descent with momentum ${small(sgd)}, Adam ${small(adam)}.`,
  sgd: "plain descent",
  adam: "Adam",
  start: "before the first step",
  ends: (frequent: OptimiserPair, rare: OptimiserPair) =>
    `On the most frequent words: plain descent ${loss(frequent.sgd)}, Adam ${loss(frequent.adam)}. On the rarest: ${loss(rare.sgd)} and ${loss(rare.adam)}.`,
  neither: (guessing: number) =>
    `Neither knows the rarest words yet (random guessing: ${loss(guessing)}).`,
  verdict: (left: boolean) =>
    left
      ? "Plain descent leaves the rare words behind. That is one reason why language models are trained with Adam."
      : "Here plain descent does not leave the rare words behind: that shows only where a few words are very frequent and training is long enough.",
  axis: "from the most frequent to the rarest words",
  line: (name: string, first: [number, number], last: [number, number]) =>
    `${name}: ${loss(first[1])} on the most frequent words, ${loss(last[1])} on the rarest`,
});

export const substitution = table("substitution", {
  empty:
    "If two words lie near each other, one should do in the other’s place. In some two hundred sentences one word is replaced: by its nearest, by its tenth nearest, and by words that are only about as frequent. Which surprises the model least? Guess first.",
  head: "How much more surprised the model is by the sentence",
  headMore: (sentences: number, text: "training" | "held_out") =>
    text === "held_out"
      ? `In nats, the mean of ${count(sentences)} held-out sentences; the marks: two standard errors to each side.`
      : `In nats, the mean of ${count(sentences)} sentences of its own text, since none is held out; the marks: two standard errors to each side.`,
  by: {
    near: "its nearest",
    tenth: "its tenth nearest",
    chance: "one as frequent",
  } satisfies Record<Substitute, string>,
  nats: (value: number | null) => fixed(value, 1),
  interval: (name: string, rise: number, error: number | null) =>
    error === null
      ? `${name}: ${fixed(rise, 1)} nats`
      : `${name}: ${fixed(rise, 1)} nats, standard error ${fixed(error, 2)}`,
  share: (share: number, draws: number) =>
    `In ${percent(share)} of the sentences the nearest costs less than the mean of ${count(draws)} words about as frequent.`,
  example: (word: string) => `In the place of ${word}`,
  exampleMore: "Of all sentences, sorted by what the nearest word saves, the one in the middle.",
});

export const heads = table("heads", {
  empty:
    "A list of random words, and then the same list again: only position and repetition can tell a head where to look. Here you see where each head looks, at every state of the model that was kept.",
  scores: {
    previous: "previous word",
    induction: "induction",
    first: "first word",
    spread: "everywhere",
  },
  meaning: {
    previous: "The share of its attention that goes to the word just before.",
    induction:
      "When a word comes again: the share that goes to the word that followed it the first time. Such a head can copy.",
    first: "The share that goes to the first word: often a place to rest.",
    spread: "How evenly it looks at all words before: 1 is evenly, 0 is one word alone.",
  },
  chance: (share: string) => `A head that looks at all words alike scores ${share}.`,
  head: (layer: number, head: number) => `${layer + 1}·${head + 1}`,
  cell: (head: string, step: number, share: string) =>
    `Layer·head ${head}, step ${count(step)}: ${share}`,
  copies: (tokens: number, first: string, again: string, step: number) =>
    `At step ${count(step)} it misses ${tokens} random words by ${first} nats, and by ${again} when they come again. Only if the second is much lower does it copy.`,
  click: "Click a square to see where that head looked at that step.",
  back: "What looking back is worth",
  backMore:
    "How surprise changes, in nats, with more words to look back at: for random words when they come again, and for held-out text near the end of what the model sees, each compared with the start. The lower the line, the more looking back helps.",
  again: "random words again",
  inContext: "held-out text, last quarter",
  noUse: "looking back is of no use",
  backChance: (error: string | null) =>
    "A model that makes no use of words further back stays at 0." +
    (error === null
      ? ""
      : ` The line for held-out text is uncertain by ${error} nats (standard error).`),
});
