/** Texts of the experiments with the model: teaching, swapping, looking inside and turning. */

import type { Transplant } from "./transplant";
import { plain } from "../../strings/amounts";
import { fine, percent } from "../../strings/shares";
import { count, fixed } from "../../strings/numbers";
import { table } from "../../strings/translation";

const times = (number: number) =>
  number === 1 ? "once" : number === 2 ? "twice" : `${count(number)} times`;
const steps = (number: number) => (number === 1 ? "1 step" : `${count(number)} steps`);

export const whatIf = table("whatIf", {
  times: (value: number) => `Show it your sentence ${times(value)}`,
  after: (value: number) =>
    value ? `then train ${steps(value)} on the original text` : "then nothing of the original text",
  empty:
    "A copy of the model reads your sentence again and again, as in training. You see when it believes you, which other words change too, and whether it lasts. Your run is not affected.",
  told: (context: string) => `After “${context}” it says`,
  before: "before",
  afterTimes: (value: number) => `read ${times(value)}`,
  afterTown: (value: number) =>
    `after ${value === 1 ? "1 normal step" : `${count(value)} normal steps`}`,
  /** A probability before and after, beside a word on the map and in the list. */
  change: (before: number, after: number) => `${percent(before)} → ${percent(after)}`,
  believed: (after: number | null, word: string) =>
    after === null
      ? `It does not believe you yet: everything else combined is still more likely than “${word}”. Show it the sentence more often, or try a later step: a model must be able to speak before you can tell it something.`
      : after === 0
        ? `It said “${word}” before you told it anything.`
        : `It takes ${after === 1 ? "one reading" : after === 2 ? "two readings" : `${count(after)} readings`}: from then on “${word}” is more likely than everything else combined.`,
  saidBefore: (word: string, before: number, after: number) =>
    `Its first choice before, “${word}”: ${fine(before)} → ${fine(after)}.`,
  chart: (word: string) => `How likely “${word}” is, in percent, step by step`,
  line: (name: string, first: [number, number], last: [number, number]) =>
    `${name}: ${fixed(first[1], 1)}\u00a0% at first, ${fixed(last[1], 1)}\u00a0% at step ${count(last[0])}`,
  axis: (taught: number, last: number) =>
    last > taught
      ? `% by step: ${taught} on your sentence, then the original text`
      : "% by step on your sentence",
  turn: "original text",
  play: "Watch it learn on the map",
  stop: "Stop",
  copy: "Each reading takes two beats: first the words that it reads light up, then rings show how far their rows moved.",
  beat: (number: number, all: number, moved: boolean, counts?: { lit: number; moved: number }) =>
    `Reading ${number} of ${all}: ` +
    (moved
      ? `${count(counts?.moved ?? 0)} rows have moved. The wider the ring, the farther.`
      : `${count(counts?.lit ?? 0)} rows are read and light up.`),
  others: "What else changed",
  /** `words`: the size of the vocabulary, among which chance would choose. */
  othersMore: (word: string, watched: number, words: number) =>
    `You never mentioned these. Ringed on the map: of ${count(watched)} others, those whose “${word}” rose most. By luck alone it would be ${plain(100 / words, 1)}\u00a0%.`,
  nobody: (watched: number) => `None of the ${count(watched)} others that were checked.`,
  forgets: "What it cost",
  parameters: (share: number) =>
    `Your sentence changed ${fine(share)} of all the copy’s numbers, not only those of its words.`,
  unchanged: "This was a copy. Your run is not affected.",
});

export const transplant = table("transplant", {
  take: "What to put in",
  what: {
    word: "another word’s row",
    step: "its own row of another step",
    city: "the whole city of another step",
  } satisfies Record<Transplant, string>,
  putRow: "The row of",
  inPlace: "in the place of",
  rowOf: "The row of",
  asAtStep: "as it was at step",
  empty:
    "All that the model knows of a word is one row of numbers. Give the dog the row of the cat, and see what the dog says. Your run is not affected.",
  did: (into: string, source: string, step: number, rows: number) =>
    !into
      ? `The whole city of step ${count(step)} in the place of this one: ${count(rows)} rows.`
      : source !== into
        ? `The row of “${source}” now stands in the place of “${into}”.`
        : `“${into}” now has its row of step ${count(step)}.`,
  before: "Before",
  after: "With the other row",
  first: (word: string, before: number | null, after: number | null) =>
    `“${word}”: ${fine(before ?? 0)} → ${fine(after ?? 0)}.`,
  instead: (source: string, same: boolean) =>
    same
      ? `It says exactly what it says of “${source}”: the numbers are all that it knows of a word.`
      : `It does not quite say what it says of “${source}”.`,
  loss: "How well it still predicts",
  /** A loss before and after, and that of guessing, in words; how much is a surprise is said first. */
  losses: (before: number | null, after: number | null, chance: number | null) => {
    const guess = chance === null ? "" : ` Random guessing: ${fixed(chance, 2)}.`;
    return `Its loss on the run’s text: ${fixed(before, 2)} before, ${fixed(after, 2)} now.${guess}`;
  },
  moved: (rows: number, distance: number) =>
    rows === 1
      ? `One row differs, by a distance of ${fixed(distance, 2)}.`
      : `${count(rows)} rows differ, by a distance of ${fixed(distance, 2)} on average.`,
  unchanged: "This was a copy. Your run is not affected.",
});

export const rotation = table("rotation", {
  empty:
    "The computer turns the whole space at random, as you turn a globe. Which of its numbers stay the same? Which words are still neighbours? Guess first.",
  changed: (numbers: number) => `of ${count(numbers)} numbers changed`,
  kept: (lists: number) => `of ${count(lists)} words kept their ten neighbours`,
  numbers: (word: string) => `The first numbers of “${word}”`,
  neighbours: (word: string) => `The neighbours of “${word}”, and how alike they are`,
  before: "before",
  after: "turned",
  number: (value: number) => fixed(value, 3),
  purity: (before: number, after: number, chance: number) =>
    `Of a word’s nearest neighbours (as many as its kind has others, at most ten), ${fine(before)} are of its own kind before and ${fine(after)} after (by chance: ${fine(chance)}).`,
  breaks: "What breaks",
  breaksMore:
    "A number alone means nothing; what words mean lies in how they stand to one another. But the layers behind this matrix learned with the old numbers. If only the matrix is turned, they no longer understand anything:",
  unchanged: "This was a copy. Your run is not affected.",
});

export const probe = table("probe", {
  second: "Compare with a second sentence (or leave it empty)",
  secondHint: "a sentence with one of the same words",
  other: "Beside it, at step",
  empty:
    "To guess the next word, each word looks back at the words before it. Which ones, it has learned. Here you see where every layer and head looks, and where they looked before it learned.",
  heads: "Each square is one head; each line of squares one layer. Choose one",
  head: (layer: number, head: number) => `Layer ${layer + 1}, head ${head + 1}`,
  map: (layer: number, head: number) =>
    `Layer ${layer + 1}, head ${head + 1}: which word looks at which. Arrow keys go from cell to cell`,
  looks: (from: string, to: string, share: number) => `“${from}” looks at “${to}”: ${fine(share)}.`,
  compared: (before: { step: number; share: number } | null, seen: number) =>
    (before ? `At step ${count(before.step)}: ${fine(before.share)}. ` : "") +
    (seen === 1
      ? "It sees only itself."
      : `Looking equally at all ${count(seen)} words: ${fine(1 / seen)}.`),
  same: (at: string) => `The same head. ${at}`,
  change: (share: number) =>
    `${fine(share)} of this head’s attention has gone elsewhere since then.`,
  apart: "The same word in both sentences",
  apartMore:
    "1: the model takes it for the same; 0: nothing in common. At the entry it is only its row and its place; layer by layer the sentence colours it.",
  word: "word",
  layer: (layer: number) => (layer ? `layer ${layer}` : "entry"),
  cosine: (value: number | null) => fixed(value, 2),
  was: (value: number | null) => `(${fixed(value, 2)})`,
  wasMore: (at: string) => `In brackets: ${at.replace(/^./, (letter) => letter.toLowerCase())}.`,
  nothingShared: "The two sentences have no word in common.",
});
