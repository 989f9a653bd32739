/** German texts of the two matrices of a model. */

import { count } from "../numbers";
import type { Translated } from "../translation";
import type { twoCities as english } from "../two-cities";

export const twoCities: Translated<typeof english> = {
  map: {
    waiting: "Diese Karte wird gesucht …",
    file: "Diese Datei enthält die Wörter nur als Kontext. Öffne den Lauf mit Lamplighter, um sie als Vorhersagen zu sehen.",
    undrawn: "Diese Karte wird nur auf Anfrage gezeichnet.",
    viewer: "Diese Karte hat noch niemand gezeichnet. Das kann, wer vorführt.",
    draw: "Diese Karte zeichnen",
    drawing: (share) => `Sie wird gezeichnet: ${Math.round(100 * share)}\u00a0%`,
    cancel: "Abbrechen",
    cancelled: "Abgebrochen. Nichts wurde geändert.",
    older: (step) =>
      `Gezeichnet bis Schritt ${count(step)}; das Modell ist seitdem weitergegangen.`,
    again: "Noch einmal zeichnen",
    caption: (step) => `Wörter als Vorhersagen · Schritt ${count(step)}`,
    captionMore:
      "Das Modell hat zu jedem Wort zwei Listen von Zahlen: eine, um es zu lesen, und eine, um es zu raten. Diese Karte zeigt die zweite, aus dem zuletzt gespeicherten Modell.",
  },
  card: {
    title: "Als Kontext, als Vorhersage",
    about:
      "Das Modell hat zu jedem Wort zwei Vektoren: einen, um es zu lesen, und einen, um es zu raten. So lebt jedes Wort in zwei Städten.",
    foretells: (word) => `Verwendet wie „${word}“`,
    foretellsMore: "Danach kommen ähnliche Wörter.",
    foretold: (word) => `Vorhergesagt wie „${word}“`,
    foretoldMore: "Davor stehen ähnliche Wörter.",
    at: (step, exact) =>
      exact
        ? `Beides bei Schritt ${count(step)}.`
        : `Beides bei Schritt ${count(step)}, dem zuletzt gespeicherten Modell.`,
    both: (some, all) =>
      some === 0
        ? `Keines der ${count(all)} Wörter steht auf beiden Listen.`
        : `${count(some)} der ${count(all)} Wörter ${some === 1 ? "steht" : "stehen"} auf beiden Listen.`,
    see: "Beide Karten ansehen",
    waiting: "Es wird verglichen …",
  },
};
