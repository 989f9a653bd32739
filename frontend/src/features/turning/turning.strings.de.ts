/** German texts of turning points. */

import { count } from "../../strings/numbers";
import type { Translated } from "../../strings/translation";
import type { turning as english } from "./turning.strings";

const guessed = (who: string): [string, string] => [
  `${who} werden schlechter erraten`,
  `${who} werden besser erraten`,
];

export const turning: Translated<typeof english> = {
  label: (all) => `${count(all)} ${all === 1 ? "Wendepunkt" : "Wendepunkte"}`,
  note: "An jedem dieser Schritte wird eine Kurve wieder schneller oder kehrt um; sonst wird Lernen nur langsamer. Durch Zufall allein hätte einer von hundert Läufen so einen Schritt.",
  begins: (what) => `Ab hier: ${what}`,
  reverses: (what) => `Kehrtwende: ${what}`,
  speeds_up: (what) => `Ab hier schneller: ${what}`,
  groups: ["häufige Wörter", "mittelhäufige Wörter", "seltene Wörter"],
  curves: {
    loss: guessed("gelesene Wörter"),
    loss_held_out: guessed("Wörter aus zurückbehaltenem Text"),
    accuracy_held_out: [
      "nie gesehene Aufgaben werden richtig",
      "nie gesehene Aufgaben werden falsch",
    ],
    accuracy_read: ["gesehene Aufgaben werden richtig", "gesehene Aufgaben werden falsch"],
    purity_10nn: ["Wörter sammeln sich nach Arten", "Wörter einer Art gehen auseinander"],
    effective_rank: ["die Wörter nutzen mehr Richtungen", "die Wörter nutzen weniger Richtungen"],
    anisotropy: [
      "alle Wörter drehen sich in eine Richtung",
      "die Wörter drehen sich in verschiedene Richtungen",
    ],
    nearest_cosine: ["nahe Wörter rücken zusammen", "nahe Wörter rücken auseinander"],
    length_log_count_spearman: [
      "die Vektoren häufiger Wörter werden am längsten",
      "die Vektoren seltener Wörter holen an Länge auf",
    ],
    induction_head: [
      "ein Kopf findet, was schon dastand (Induktion)",
      "dieser Kopf schaut woanders hin",
    ],
    previous_token_head: ["ein Kopf schaut auf das Wort davor", "dieser Kopf schaut woanders hin"],
    in_context: ["weiter entfernte Wörter helfen weniger", "weiter entfernte Wörter helfen mehr"],
    repetition: [
      "wiederholte Wörter sind leichter zu erraten",
      "wiederholte Wörter sind schwerer zu erraten",
    ],
  },
  guessed,
  analogy: (kind) => [`Analogien „${kind}“ gelingen`, `Analogien „${kind}“ misslingen`],
  separation: (layer) => [
    `Bedeutungen gehen in ${layer} auseinander`,
    `Bedeutungen rücken in ${layer} zusammen`,
  ],
  other: (name) => [`${name} steigt`, `${name} fällt`],
};
