/** German texts of the step panel. */

import { count } from "../../strings/numbers";
import type { stepPanel as english } from "./step.strings";
import type { Translated } from "../../strings/translation";

export const stepPanel: Translated<typeof english> = {
  loss: (loss) => `Überraschung beim Text dieses Schritts: ${loss} Nats je Wort.`,
  estimated: (negatives) =>
    `Eine Schätzung: Ein Schritt vergleicht mit ${count(negatives)} ausgelosten Wörtern.`,
  noLoss: "Überraschung beim Text dieses Schritts: nicht bekannt.",
  heldOut: {
    at: (loss, step) =>
      `Bei Text, den es nie gelesen hat: ${loss} bei Schritt ${count(step)}, das Mittel über bis zu 4.096 Wörter.`,
    none: "Für diesen Lauf wurde kein Text zurückbehalten.",
    short: "Dieser Text ist zu kurz, um einen Teil zurückzubehalten: Das braucht 20.000 Wörter.",
    unmeasured: "Bei Text, den es nie gelesen hat: noch nicht gemessen.",
  },
  microscope: "Unter dem Mikroskop",
  microscopeMore:
    "Von den Wörtern dieses Schritts bis zur Änderung einer einzigen Zahl, neu berechnet",
  cause: "Fällt dieser Schritt auf?",
  figures: { loss: "Überraschung", gradient_norm: "Gradientennorm", rows_moved: "bewegte Zeilen" },
  standsOut: (figure, value, expected, chance) =>
    `Ja: ${figure} ${value}, wo nach den Schritten ringsum ${expected} zu erwarten war. Der Zufall allein brächte ${chance} Abschnitte des ganzen Laufs so weit weg.`,
  notFinite: (figure) => `Ja: ${figure} ist keine endliche Zahl.`,
  usual: (figure, value, expected) => `Nein: ${figure} ${value}, wo ${expected} zu erwarten war.`,
  notJudged:
    "Das lässt sich nicht sagen: Es ist einer der ersten 20 Schritte, es sind weniger als 40, oder ihre Überraschung wurde nicht aufgezeichnet.",
  stretch: (first, last) => `${first}–${last}`,
  jump: (first) => `ab ${first}`,
  others: "Schritte, die auffallen:",
  noneStandsOut: (first, last) =>
    `Von Schritt ${count(first)} bis ${count(last)} fällt keiner auf.`,
  hardest: "Am schwersten zu raten",
  hardestMore: (words, share) => `Diese ${words} Wörter tragen ${share} der ganzen Überraschung`,
  hardestUsual: (share) => `; in den Schritten ringsum tragen die schwersten ${share}.`,
  notKept: "Die schwersten Wörter dieses Schritts wurden nicht aufgehoben.",
  farthest: "Am weitesten bewegt",
  distance: (now, usual) => `${now} weit bewegt; sonst ${usual}`,
  unread: "unbekannt",
  sets: "Zeilen des Embeddings",
  inBatch: "im Batch",
  gotGradient: "mit Gradient",
  moved: "bewegt",
  verified: "an der ganzen Matrix geprüft",
  notVerified: "in diesem Schritt wurden nur Zeilen mit Gradient geprüft",
  same: "In allen dreien dieselben Zeilen.",
  differ: {
    read_without_gradient: "gelesen, aber ohne Gradient",
    gradient_without_read: "mit Gradient, aber nicht gelesen",
    gradient_without_move: "mit Gradient, aber nicht bewegt",
    moved_without_read: "bewegt, aber nicht gelesen",
  },
  notKnown: "nicht bekannt",
  andMore: (rows) => `und noch ${count(rows)}`,
  river: "Der Gradient fließt von der Überraschung zurück",
  riverMore:
    "So breit wie die Norm des Gradienten jeder Schicht in diesem Schritt (euklidisch; vor dem Kappen, wenn es hier trainiert wurde). Er fließt von der Überraschung hinunter zum Embedding, dessen Zeilen die Lichter sind.",
  riverLabel:
    "Gradientennorm jeder Schicht in diesem Schritt, als Breite eines Flusses von der Überraschung hinunter zum Embedding; die Zahlen stehen daneben.",
  riverAxis: "Gradientennorm",
  riverScale: (end) => `volle Breite: Norm ${end}`,
  noRiver: "Die Gradienten dieses Schritts sind nicht aufgezeichnet.",
  history: "Gradientennorm jeder Schicht, Schritt für Schritt (logarithmisch)",
  text: "Der Text dieses Schritts",
  textMore:
    "Je heller das Wort, desto größer der Gradient seiner Zeile. Nach dem Pfeil: das Wort, das zu raten ist.",
  words: "Wörter des Batches: Mit den Pfeiltasten geht es von Wort zu Wort, Enter öffnet eines",
  target: "Nur zu raten: in diesem Schritt nicht gelesen, wenn es nicht auch anderswo vorkommt",
  wordNorm: (norm) => `Gradientennorm ${norm}`,
  wordNone: "kein Gradient in diesem Schritt",
  wordUntold: "sein Gradient ist nicht unter den stärksten, die aufgeführt sind",
  moreText: (sequences) => `und noch ${sequences} Sequenzen`,
  showText: "Ansicht anhalten und den Text zeigen",
  showTextMore: "Halte die Ansicht an, um den Text zu lesen. Das Training läuft weiter.",
  fetching: "Der Text wird geladen …",
  noHistory: "Wird ab dem zweiten Schritt gezeichnet.",
  noText: "Der Text dieses Schritts wurde nicht gespeichert.",
  waiting: "Noch wurde kein Schritt trainiert.",
  still: "Eine Embedding-Matrix, wie sie ist: Trainingsschritte zum Ansehen gibt es nicht.",
};
