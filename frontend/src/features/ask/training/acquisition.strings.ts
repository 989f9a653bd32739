/** Texts of the experiment about when each word was learned. */

import { count, fixed, small } from "../../../strings/numbers";
import { fine, percent } from "../../../strings/shares";
import { table } from "../../../strings/translation";

export const acquisition = table("acquisition", {
  empty:
    "The model reads held-out text at each saved state. A word is learned by the step where its surprise has fallen halfway from random guessing to its lowest.",
  summary: (learned: number, words: number) =>
    `${count(learned)} of ${count(words)} words were learned`,
  middle: (step: number) => `, half of those by step ${count(step)}`,
  chance:
    "By chance, none would be: each became at least twice as likely as its frequency alone makes it.",
  ownText: "No text is held out, so it read the text that it trains on.",
  rare: (words: number) => `too rare for a curve: ${count(words)}`,
  forgotten: (words: number, chance: number) =>
    `forgotten again: ${count(words)}, by chance ${fixed(chance, 1)}`,
  colour: "Colour the map by age",
  lists: { first: "First", last: "Last", lost: "Forgotten" },
  chart: "Dots: surprise in bits at each saved state. Click the middle of a curve to go there.",
  guessing: "random guessing",
  learned: (step: number, low: number, high: number) =>
    `learned by about step ${count(step)} (${count(low)} to ${count(high)})`,
  states: {
    before: "known before this run",
    unlearned: "not learned",
    unfitted: "no clear age",
    rare: "too rare for a curve",
  },
  seeds: "In Lamptown, another seed shifts half of the ages by a third or more.",
  early: "Which words come early?",
  subject: {
    frequency: "Words that are read ten times as often",
    length: "Words with one more letter",
    meanings: "Words with two meanings",
  },
  effect: (subject: string, early: boolean, [times, least, most]: number[]) =>
    `${subject} are learned ${small(times, 2)} times as ${early ? "early" : "late"} (between ${small(least, 2)} and ${small(most, 2)}).`,
  nothing: {
    frequency: "Frequency makes no clear difference.",
    length: "Length makes no clear difference.",
    meanings: "A second meaning makes no clear difference.",
    class: "The kind of word makes no clear difference.",
  },
  kind: (share: number, chance: number) =>
    `The kind of word explains another ${fine(share)} of the differences; chance, up to ${fine(chance)}.`,
  explained: (share: number, chance: number) =>
    `Together they explain ${percent(share)} of the differences between ages; chance, up to ${percent(chance)}.`,
});
