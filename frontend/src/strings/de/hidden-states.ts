/** German texts of runs whose lights are words in their sentences, in each layer of another run's model. */

import type { hiddenStates as english } from "../hidden-states";
import type { Translated } from "../translation";

export const hiddenStates: Translated<typeof english> = {
  title: "Innere Zustände",
  layers: "Dasselbe Wort in jeder Schicht",
  of: "Was jede Schicht eines Modells aus Wörtern in ihren Sätzen macht. Das Modell gehört zu einem anderen Lauf:",
  gone: "Diesen Lauf gibt es hier nicht mehr.",
  more: "Was macht jede Schicht aus einem Wort in seinem Satz? Dieser Befehl liest es an jedem gespeicherten Stand, als Lauf mit eigener Karte:",
  open: (name: string) => `${name} öffnen`,
};
