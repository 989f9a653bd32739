/** Texts of the pictures and films themselves. */

import { inTen } from "../../strings/shares";
import { count } from "../../strings/numbers";
import { table } from "../../strings/translation";

export const caption = table("caption", {
  learns: (words: number) => `A language model learns ${count(words)} words`,
  before: (step: number) =>
    step ? `At step ${count(step)}` : "Before it reads anything, words are scattered at random",
  after: (steps: number) => `After ${count(steps)} steps of reading`,
  step: (step: number) => `step ${count(step)}`,
  loss: (loss: string) => `surprise ${loss} (loss, nats per word)`,
  lit: (lit: number, all: number) => `reading ${count(lit)} of ${count(all)} words`,
  none: (all: number) => `none of ${count(all)} words read yet`,
  view: (view: string, step: number) => `${view}, step ${count(step)}`,
  trust: (recall: number) => `${inTen(recall)} in 10 neighbours on the map are real`,
  noTrust: "how many neighbours on the map are real was not measured",
  reading: "each light is a word, the brighter the more this step wants to change it",
  readOnly: "each light is a word, and those that this step read are lit",
  relief: "land: how dense the words are",
  legend: (by: string, entries: number, tints: number) =>
    entries > tints ? `Colour: ${by} (${count(entries)} share ${tints} colours)` : `Colour: ${by}`,
  more: (entries: number) => `and ${count(entries)} more`,
} as const);
