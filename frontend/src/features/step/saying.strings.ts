/** Texts of the line that the model says, which load with it. */

import { count } from "../../strings/numbers";
import { table } from "../../strings/translation";

export const saying = table("saying", {
  lead: "It says:",
  more: "The dim words were given to the model. It went on with the bright ones by itself.",
  when: (step: number, sampled: boolean) => `${sampled ? "by chance, " : ""}at step ${count(step)}`,
  another: "Another line of this step",
  ask: "Ask it",
  askMore: "Let the model go on with words of yours",
} as const);
