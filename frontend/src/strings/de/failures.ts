/** German texts of failures. */

import german from "../../../../backend/lamplighter/contract/texts/de.json";
import type { ReasonCode } from "../../api/rest-types";
import type { failures as english } from "../failures";
import { count } from "../numbers";
import type { Translated } from "../translation";

export const failures: Translated<typeof english> = {
  notAccepted: "nicht angenommen",
  noMapAt: (step) => `Die Karte von Schritt ${count(step)} ist nicht mehr gespeichert.`,
  noStep: (step) => `Einen Schritt ${count(step)} gibt es nicht.`,
  noWord: (word) => `Das Token „${word}“ gibt es in diesem Wortschatz nicht.`,
  silent: "Der Server antwortet nicht.",
  broken: "Die Antwort ist abgebrochen.",
  noMatrix: "Was ankam, ist keine Matrix.",
  noLayout: "Was ankam, ist keine Karte.",
  noSuchMap: "Eine solche Karte hat dieser Lauf nicht.",
  otherVocabulary: "ein anderer Wortschatz",
  presenterOnly:
    "Das kann nur, wer vorführt. Öffne Lamplighter mit seinem Startlink, um vorzuführen.",
  noToken: "Das Wort im Link gibt es in diesem Wortschatz nicht.",
  other: (sentence) => `Der Server meldet auf Englisch: ${sentence}`,
};

export const reasons: Record<ReasonCode, string> = german;
