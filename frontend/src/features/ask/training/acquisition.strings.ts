/** Texts of the experiment about when each word was learned. */

import type { AnswerTo } from "../../../api/rest-types";
import { count, fixed, small } from "../../../strings/numbers";
import { fine, percent } from "../../../strings/shares";
import { table } from "../../../strings/translation";

export type Predictor = NonNullable<AnswerTo<"acquisition">["regression"]>["predictors"][number];
type Quantity = Exclude<Predictor["name"], "class">;

const SUBJECT: Record<Quantity, string> = {
  frequency: "Words that are read ten times as often",
  length: "Words with one letter more",
  meanings: "Words with two meanings",
};
const NOTHING: Record<Quantity, string> = {
  frequency: "How often a word is read tells nothing",
  length: "Its length tells nothing more",
  meanings: "Having two meanings tells nothing more",
};
const times = (slope: number) => small(10 ** Math.abs(slope), 2);

export const acquisition = table("acquisition", {
  empty:
    "How surprised is the model by a word, and from which step on less? At each saved state it reads text that it was not trained on. Where a word’s surprise has fallen half of the way from random guessing to its lowest, the word counts as learned.",
  summary: (learned: number, words: number, middle: number) =>
    `${count(learned)} of ${count(words)} words were learned, half of those by step ${count(middle)}.`,
  none: (words: number) => `None of ${count(words)} words has a clear age yet.`,
  chance:
    "By chance none would: a word counts only once it is twice as likely as its frequency makes it, and surely so.",
  rest: (unlearned: number, unfitted: number, before: number) =>
    [
      unlearned ? `Not learned: ${count(unlearned)}.` : "",
      unfitted ? `Without a clear age: ${count(unfitted)}.` : "",
      before ? `Known before this run began: ${count(before)}.` : "",
    ].join(" "),
  rare: (rare: number, more: number, least: number) =>
    `No curve for ${count(rare + more)} words: ${count(rare)} occur fewer than ${least} times in that text${more ? ", the others are beyond the limit" : ""}.`,
  forgotten: (words: number, chance: number) =>
    `Forgotten again: ${count(words)}; by chance it would be ${fixed(chance, 1)}.`,
  colour: "Colour the map by it",
  first: "First",
  last: "Last",
  lost: "Forgotten",
  add: "Add a word",
  noCurve: (word: string) => `${word}: too rare in that text for a curve.`,
  chart:
    "Dots: surprise in bits, at each saved state. Line: the curve that fits best. Bar: where its middle lies; click it to go there.",
  guessing: "random guessing",
  picture: (words: string) => `Surprise by step: ${words}`,
  learned: (step: number, low: number, high: number) =>
    `learned by about step ${count(step)} (${count(low)} to ${count(high)})`,
  go: (word: string, step: number) => `${word}: go to step ${count(step)}`,
  states: {
    before: "known before this run began",
    unlearned: "not learned",
    unfitted: "no clear age",
  },
  lostAgain: (bits: number) => `then forgotten: ${fixed(bits, 1)} bits more surprise`,
  seeds: "With another seed, half of Lamptown’s words shift by a third or more.",
  early: "Which words come early?",
  predictor: ({ name, slope, low, high, share, chance }: Predictor) => {
    if (name === "class" || slope === null || low === null || high === null)
      return share > chance
        ? `The kind of word explains ${fine(share)} of the differences on its own; chance up to ${fine(chance)}.`
        : "Its kind tells nothing more.";
    if (low <= 0 && high >= 0) return `${NOTHING[name]}.`;
    const [least, most] = slope < 0 ? [high, low] : [low, high];
    return `${SUBJECT[name]} are learned ${times(slope)} times as ${slope < 0 ? "early" : "late"} (between ${times(least)} and ${times(most)}).`;
  },
  explained: (share: number, chance: number) =>
    `Together they explain ${percent(share)} of the differences between ages. With the ages dealt out at random: up to ${percent(chance)}.`,
});
