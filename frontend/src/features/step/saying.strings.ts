/** Texts of the line that the model says, which load with it. */

import { count } from "../../strings/numbers";
import { table } from "../../strings/translation";

export const saying = table("saying", {
  lead: "It says:",
  more: "The dim words were given; the model continued with the bright ones.",
  when: (step: number, sampled: boolean) => `${sampled ? "sampled, " : ""}at step ${count(step)}`,
  another: "Another sample",
} as const);
