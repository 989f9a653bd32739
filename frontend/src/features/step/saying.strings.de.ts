/** German texts of the line that the model says. */

import { count } from "../../strings/numbers";
import type { saying as english } from "./saying.strings";
import type { Translated } from "../../strings/translation";

export const saying: Translated<typeof english> = {
  lead: "Es sagt:",
  more: "Die blassen Wörter wurden dem Modell gegeben. Mit den hellen hat es allein weitergemacht.",
  when: (step, sampled) => `${sampled ? "gezogen, " : ""}bei Schritt ${count(step)}`,
  another: "Noch eine Zeile dieses Schritts",
};
