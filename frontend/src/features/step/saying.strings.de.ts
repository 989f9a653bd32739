/** German texts of the line that the model says. */

import { count } from "../../strings/numbers";
import { percent } from "../../strings/shares";
import type { saying as english } from "./saying.strings";
import type { Translated } from "../../strings/translation";

export const saying: Translated<typeof english> = {
  lead: "Es sagt:",
  more: "Die blassen Wörter waren gegeben; mit den hellen hat das Modell weitergemacht.",
  when: (step, sampled) => `${sampled ? "gezogen, " : ""}bei Schritt ${count(step)}`,
  another: "Noch eine Zeile dieses Schritts",
  sums: (read, unseen, chance) =>
    chance === null
      ? `neue: ${percent(unseen)}`
      : `Richtig: ${percent(read)} der gesehenen Aufgaben, ${percent(unseen)} der neuen (geraten: ${percent(chance)})`,
};
