/** German texts of the second map. */

import type { compare as english } from "../../first-screen/compare";
import { count } from "../../numbers";
import type { Translated } from "../../translation";

export const compare: Translated<typeof english> = {
  compare: {
    name: "Vergleichen",
    more: "Eine zweite Karte neben dieser: ein früherer Schritt, die andere Ansicht oder ein anderer Lauf",
    about: "Ein gewähltes Wort bekommt auf beiden Karten einen Ring.",
    foretells: "Wörter als Kontext",
    caption: (step, view, newest = false) =>
      `Schritt ${count(step)}${step === 0 ? ", bevor es etwas gelesen hat" : newest ? ", jetzt" : ""} · ${view}`,
    mapOf: (step) => `Karte von Schritt ${count(step)}`,
  },
};
