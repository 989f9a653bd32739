/** Texts of the second map. */

import { count } from "../numbers";

export const compare = {
  compare: {
    name: "Compare",
    more: "A second map beside this one: an earlier step, the other view, or another run",
    about: "Select a word to see it on both maps.",
    foretells: "Words as context",
    caption: (step: number, view: string, newest = false) =>
      `Step ${count(step)}${step === 0 ? ", before it read anything" : newest ? ", now" : ""} · ${view}`,
    mapOf: (step: number) => `map of step ${count(step)}`,
  },
} as const;
