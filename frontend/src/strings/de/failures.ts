/** German texts of failures. */

import type { failures as english } from "../failures";
import type { Translated } from "../translation";

export const failures: Translated<typeof english> = {
  notAccepted: "nicht angenommen",
  noMapAt: (step) => `Die Karte von Schritt ${step} ist nicht mehr aufgehoben.`,
  noStep: (step) => `Einen Schritt ${step} gibt es nicht.`,
  noWord: (word) => `Das Token „${word}“ gibt es in diesem Wortschatz nicht.`,
  silent: "Der Server antwortet nicht.",
  broken: "Die Antwort ist abgebrochen.",
  noMatrix: "Was ankam, ist keine Matrix.",
  noLayout: "Was ankam, ist keine Karte.",
  noSuchMap: "Eine solche Karte hat dieser Lauf nicht.",
  otherVocabulary: "ein anderer Wortschatz",
  noView: "Was ankam, ist keine Ansicht dieser Seite.",
  newerView: "Die Ansicht ist von einer neueren Version dieser Seite.",
  presenterOnly:
    "Das kann nur, wer vorführt. Öffne Lamplighter mit seinem Startlink, um vorzuführen.",
  noToken: "Das Token, das der Link nennt, gibt es in diesem Wortschatz nicht.",
};
