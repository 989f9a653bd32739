/** German texts of the two matrices of a model. */

import { count } from "../numbers";
import type { Translated } from "../translation";
import type { twoCities as english } from "../two-cities";

export const twoCities: Translated<typeof english> = {
  map: {
    waiting: "Diese Karte wird gesucht …",
    file: "Diese Datei enthält nur, was jedes Wort ankündigt. Öffne den Lauf mit Lamplighter, um diese Karte zu sehen.",
    tied: "In diesem Modell tut eine Matrix beides, also sind beide Karten gleich.",
    none: "Von diesem Lauf ist nur aufgehoben, was jedes Wort ankündigt, also gibt es keine zweite Karte.",
    few: "Das Modell fängt gerade erst an. Komm in ein paar Schritten wieder.",
    undrawn: "Diese Karte wird nur gezeichnet, wenn jemand danach fragt.",
    viewer: "Diese Karte hat noch niemand gezeichnet. Das kann, wer vorführt.",
    draw: "Diese Karte zeichnen",
    drawing: (share) => `Sie wird gezeichnet: ${Math.round(100 * share)} %`,
    cancel: "Abbrechen",
    cancelled: "Abgebrochen. Nichts wurde geändert.",
    older: (step) =>
      `Gezeichnet bis Schritt ${count(step)}; das Modell ist seitdem weitergegangen.`,
    again: "Noch einmal zeichnen",
    caption: (step) => `Wodurch jedes Wort angekündigt wird · Schritt ${count(step)}`,
    captionMore:
      "Das Modell hat zu jedem Wort zwei Listen von Zahlen: eine, um es zu lesen, und eine, um es zu raten. Diese Karte zeigt die zweite, vom letzten Schritt, dessen ganzes Modell aufgehoben ist.",
  },
  card: {
    title: "Was es ankündigt, wodurch es angekündigt wird",
    about:
      "Das Modell hat zu jedem Wort zwei Vektoren: einen, um es zu lesen, und einen, um es zu raten. So lebt jedes Wort in zwei Städten.",
    foretells: (word) => `Was „${word}“ ankündigt`,
    foretellsMore: "Nach diesen Wörtern kommt ganz Ähnliches.",
    foretold: (word) => `Wodurch „${word}“ angekündigt wird`,
    foretoldMore: "Diese Wörter kommen nach ganz Ähnlichem.",
    at: (step, exact) =>
      exact
        ? `Beides bei Schritt ${count(step)}.`
        : `Beides bei Schritt ${count(step)}, dem letzten hier, dessen ganzes Modell aufgehoben ist.`,
    both: (some, all) =>
      some === 0
        ? `Keines der ${count(all)} Wörter steht auf beiden Listen.`
        : `${count(some)} der ${count(all)} Wörter ${some === 1 ? "steht" : "stehen"} auf beiden Listen.`,
    see: "Beide Karten ansehen",
    waiting: "Es wird verglichen …",
  },
};
