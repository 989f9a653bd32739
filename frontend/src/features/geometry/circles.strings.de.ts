/** German texts of the circles of numbers. */

import type { circles as english } from "./circles.strings";
import { percent } from "../../strings/shares";
import type { Translated } from "../../strings/translation";

export const circles: Translated<typeof english> = {
  strongest: (frequency, share, chance, step) =>
    `Bei Schritt ${step} trägt die Frequenz ${frequency} ${percent(share)} der Unterschiede zwischen den Zeilen der Zahlen. In ebenso langen zufälligen Zeilen trägt die stärkste ${percent(chance)}.`,
  shares: "Anteil jeder Frequenz",
  sharesMore: (most) =>
    `Frequenzen 1 bis ${most}: wie oft die Zahlen einen Kreis umrunden, von 0 bis wieder zur 0. Gestrichelt: die stärkste durch Zufall.`,
  share: (frequency, share) => `Frequenz ${frequency}: ${percent(share)}`,
  plane: (frequency) => `Die Zahlen auf dem Kreis der Frequenz ${frequency}`,
  variance: (frequency, share) =>
    `Frequenz ${frequency}: In dieser Ebene liegen ${percent(share)} aller Unterschiede.`,
  byChance: (share) =>
    `In der Ebene der stärksten Frequenz zufälliger Zeilen liegen ${percent(share)}, und man sieht keinen Kreis.`,
  onMap: "Den Kreis auf der Karte zeigen",
};
