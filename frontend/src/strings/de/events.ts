/** German texts of the events in a run's record. */

import type { events as english } from "../events";
import type { Translated } from "../translation";

export const events: Translated<typeof english> = {
  title: "Was unterwegs geschehen ist",
  none: "Nichts, was eine Zeile wert wäre.",
  atStep: (step) => `Schritt ${step}:`,
  contradiction:
    "In dem, was dieses Training gemeldet hat, passt etwas nicht zusammen. Was die Seite von diesen Schritten zeigt, kann falsch sein:",
};
