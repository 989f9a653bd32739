/** Texts of the experiments with the model: teaching, swapping, looking inside and turning. */

import type { Transplant } from "./transplant";
import { fine } from "../../strings/amounts";
import { count, fixed } from "../../strings/numbers";
import { table } from "../../strings/translation";

const times = (number: number) =>
  number === 1 ? "once" : number === 2 ? "twice" : `${count(number)} times`;
const steps = (number: number) => (number === 1 ? "1 step" : `${count(number)} steps`);
const ordinal = (number: number) =>
  `${number}${number === 1 ? "st" : number === 2 ? "nd" : number === 3 ? "rd" : "th"}`;

export const whatIf = table("whatIf", {
  times: (value: number) => `It reads your sentence ${times(value)}`,
  after: (value: number) =>
    value ? `Then ${steps(value)} of its own text` : "And nothing of its own text after that",
  empty:
    "A copy of the model reads your sentence again and again, as in training. You see when it believes you, which other words begin to believe it too, and whether it lasts. Nothing happens to the run.",
  told: (context: string) => `After “${context}” it says`,
  before: "before",
  afterTimes: (value: number) => `read ${times(value)}`,
  afterTown: (value: number) => `${steps(value)} of own text later`,
  believed: (after: number | null, word: string) =>
    after === null
      ? `It does not believe you yet: all other words together stay likelier than “${word}”. Let it read more often, or ask at a later step: a model must speak before it can be told something.`
      : after === 0
        ? `It said “${word}” before you told it anything.`
        : `It believes you after reading it ${times(after)}: “${word}” is then likelier than all other words together.`,
  saidBefore: (word: string, before: number, after: number) =>
    `What it said before, “${word}”: ${fine(before)} → ${fine(after)}.`,
  chart: (word: string) => `How likely “${word}” is, in percent, step by step`,
  line: (name: string, first: [number, number], last: [number, number]) =>
    `${name}: ${fixed(first[1], 1)} % at first, ${fixed(last[1], 1)} % at step ${count(last[0])}`,
  axis: (taught: number, last: number) =>
    last > taught
      ? `% by step: ${taught} on your sentence, then its own text`
      : "% by step on your sentence",
  play: "Watch it learn on the map",
  stop: "Stop",
  copy: "Each time in two beats: first the words that it reads light up, then rings show how far their rows moved.",
  beat: (number: number, all: number, moved: boolean, counts?: { lit: number; moved: number }) =>
    `${ordinal(number)} time of ${all}: ` +
    (moved
      ? `${count(counts?.moved ?? 0)} rows have moved. The wider the ring, the farther.`
      : `${count(counts?.lit ?? 0)} rows are read and light up.`),
  others: "Who else changed",
  othersMore: (word: string, watched: number) =>
    `Nobody told it anything about these. The likeliest of ${count(watched)} others to say “${word}” now are ringed on the map.`,
  nobody: (watched: number) => `None of the ${count(watched)} others that were looked at.`,
  forgets: "What it cost",
  parameters: (share: number) =>
    `Your sentence changed ${fine(share)} of all the copy’s numbers, not only those of its words.`,
  unchanged: "This was a copy. The run itself was not changed.",
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
    "All that the model knows of a word is one row of numbers. Give the dog the row of the cat, and see what the dog says. The run itself stays as it is.",
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
    const guess = chance === null ? "" : ` Who only guesses has ${fixed(chance, 2)}.`;
    return `Its loss on the run’s text: ${fixed(before, 2)} before, ${fixed(after, 2)} now.${guess}`;
  },
  moved: (rows: number, distance: number) =>
    rows === 1
      ? `One row differs, by a distance of ${fixed(distance, 2)}.`
      : `${count(rows)} rows differ, by a distance of ${fixed(distance, 2)} on average.`,
  unchanged: "This was a copy. The run itself was not changed.",
});

export const rotation = table("rotation", {
  empty:
    "The computer turns the whole space at random, as one turns a globe. Which of its numbers stay the same? Which words are still neighbours? Guess first.",
  changed: (numbers: number) => `of ${count(numbers)} numbers changed`,
  kept: (lists: number) => `of ${count(lists)} words kept their ten neighbours`,
  numbers: (word: string) => `The first numbers of “${word}”`,
  neighbours: (word: string) => `The neighbours of “${word}”, and how alike they are`,
  before: "before",
  after: "turned",
  number: (value: number) => fixed(value, 3),
  purity: (before: number, after: number, chance: number) =>
    `Of a word’s ten neighbours, ${fine(before)} are of its own kind before and ${fine(after)} after (by chance: ${fine(chance)}).`,
  breaks: "What breaks",
  breaksMore:
    "A number alone means nothing; what words mean lies in how they stand to one another. But the layers behind this matrix learned with the old numbers. If only the matrix is turned, they understand nothing any more:",
  unchanged: "This was a copy. The run itself was not changed.",
});

export const probe = table("probe", {
  second: "Compare with a second sentence (or leave it empty)",
  secondHint: "a sentence with one of the same words",
  other: "Beside it, at step",
  empty:
    "To guess the next word, each word looks back at the words before it. Which ones it looks at, it has learned. Here you see the looks of every layer and head, and what they were before it learned.",
  heads: "Each square is one head; each line of squares one layer. Choose one",
  head: (layer: number, head: number) => `Layer ${layer + 1}, head ${head + 1}`,
  map: (layer: number, head: number) =>
    `Layer ${layer + 1}, head ${head + 1}: which word looks at which. Arrow keys go from cell to cell`,
  looks: (from: string, to: string, share: number) => `“${from}” looks at “${to}”: ${fine(share)}.`,
  compared: (before: { step: number; share: number } | null, seen: number) =>
    (before ? `At step ${count(before.step)}: ${fine(before.share)}. ` : "") +
    (seen === 1
      ? "It sees only itself."
      : `Looking at all ${count(seen)} words alike: ${fine(1 / seen)}.`),
  same: (at: string) => `The same head. ${at}`,
  change: (share: number) => `${fine(share)} of this head’s looks go elsewhere than then.`,
  apart: "The same word in both sentences",
  apartMore:
    "1 means that the model holds it for the same, 0 that it has nothing in common. At the entry it is its row and its place; layer by layer the sentence colours it.",
  word: "word",
  layer: (layer: number) => (layer ? `layer ${layer}` : "entry"),
  cosine: (value: number | null) => fixed(value, 2),
  was: (value: number | null) => `(${fixed(value, 2)})`,
  wasMore: (at: string) => `In brackets: ${at.replace(/^./, (letter) => letter.toLowerCase())}.`,
  nothingShared: "The two sentences have no word in common.",
});
