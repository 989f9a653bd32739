/** Texts of the line that the model says, which load with it. */

import { count } from "../../strings/numbers";
import { percent } from "../../strings/shares";
import { table } from "../../strings/translation";

export const saying = table("saying", {
  lead: "It says:",
  more: "The dim words were given; the model continued with the bright ones.",
  when: (step: number, sampled: boolean) => `${sampled ? "sampled, " : ""}at step ${count(step)}`,
  another: "Another sample",
  /** Shares of right answers; `chance`: null where there is little room. */
  sums: (read: number, unseen: number, chance: number | null) =>
    chance === null
      ? `new sums: ${percent(unseen)}`
      : `Right: ${percent(read)} of the sums it has seen, ${percent(unseen)} of new ones (guessing: ${percent(chance)})`,
} as const);
