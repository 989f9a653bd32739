/** German texts of the events in a run's record. */

import type { events as english } from "../events";
import type { Translated } from "../translation";

const OTHERS: Readonly<Record<string, string>> = {
  interrupted: "Training beendet; es lässt sich fortsetzen.",
  attempt: "Ein neuer Versuch beginnt; was danach im alten stand, gilt nicht mehr.",
  learning_rate: "Ab hier mit einem anderen Lerntempo.",
  thinned: "Ab hier wird weniger gespeichert.",
  full: "Die Platte ist fast voll: Schnappschüsse pausieren.",
  room: "Auf der Platte ist wieder Platz.",
  checkpoint:
    "Ein Speicherstand ließ sich nicht schreiben oder nicht lesen; das Training geht weiter.",
  waypoint: "Ein Zustand des Modells wurde nicht gespeichert.",
};

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
  other: (kind, message) => {
    if (kind === "failed") return `Fehlgeschlagen: ${message}`;
    if (message.endsWith("is written")) return "Der Speicherstand ist geschrieben.";
    return OTHERS[kind] ?? message;
  },
  atStep: (step) => `Schritt ${step}:`,
  contradiction:
    "Was dieses Training gemeldet hat, widerspricht sich. Was die Seite von diesen Schritten zeigt, kann falsch sein:",
};
