/** German texts of the list of runs. */

import { approximately, count } from "../../strings/numbers";
import type { runList as english } from "./runs.strings";
import type { Translated } from "../../strings/translation";

export const runList: Translated<typeof english> = {
  runSentences: {
    unreadable: (problem) => `Nicht lesbar: ${problem}`,
    failed: (message) => `Fehlgeschlagen: ${message}`,
    found: (districts) => `; ${count(districts)} Viertel`,
    steps: (steps) => (steps === 1 ? "1 Schritt" : `${count(steps)} Schritte`),
    read: (words) => `, ${approximately(words)} Wörter gelesen`,
    stopped: (step) => `Beendet bei Schritt ${count(step)}`,
    still: "Eine Karte, ohne Training",
    starting: "Es startet …",
    waiting: (step) => `Wartet bei Schritt ${count(step)} auf einen Trainer`,
    paused: (step, steps) => `Angehalten bei Schritt ${count(step)} von ${count(steps)}`,
    learning: (step, steps) => `Lernt: Schritt ${count(step)} von ${count(steps)}`,
  },
  runsPanel: {
    back: "Zurück zur Liste",
    none: "Noch gibt es keine Läufe.",
    noneSuch: "So einen Lauf gibt es nicht.",
    search: "Läufe suchen",
    state: "Zustand",
    states: {
      any: "jeder Zustand",
      training: "im Training",
      finished: "fertig",
      stopped: "beendet",
    },
    order: "Reihenfolge",
    orders: {
      created: "neueste zuerst",
      loss: "kleinster Verlust",
      steps: "meiste Schritte",
      name: "nach Namen",
    },
    set: (members) => `Ein Rezept, ${count(members)} Läufe`,
    replay: "Abspielen",
    continue: "Weitertrainieren",
    continueAnyway: "Trotzdem weitertrainieren",
    remove: "Löschen",
    askRemove: "Diesen Lauf in den Papierkorb legen?",
    sure: "In den Papierkorb",
    keep: "Behalten",
  },
  runName: {
    name: "Name des Laufs",
    rename: "Umbenennen",
    save: "Speichern",
    cancel: "Abbrechen",
  },
  endRun: {
    end: "Diesen Lauf beenden",
    more: "Das Training hört auf; das Gelernte bleibt, und der Lauf lässt sich weitertrainieren",
    ask: "Diesen Lauf für alle beenden?",
    sure: "Beenden",
    keep: "Weiter trainieren",
  },
};
