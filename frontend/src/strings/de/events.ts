/** German texts of the events in a run's record. */

import type { events as english } from "../events";
import type { Translated } from "../translation";

export const events: Translated<typeof english> = {
  title: "Ereignisse",
  none: "Keine Ereignisse.",
  usual: {
    started: "Das Training hat begonnen.",
    paused: "Training angehalten.",
    resumed: "Training fortgesetzt.",
    continued: "Es wird weitertrainiert.",
    finished: "Alle Schritte sind getan.",
  },
  atStep: (step) => `Schritt ${step}:`,
  contradiction:
    "Was dieses Training gemeldet hat, widerspricht sich. Was die Seite von diesen Schritten zeigt, kann falsch sein:",
};
