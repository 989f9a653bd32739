/** German texts of the panel for questions to the model. */

import { percent, tiny } from "../amounts";
import type { ask as english } from "../ask";
import { count } from "../numbers";
import type { ExperimentName } from "../../model/view/view-options";
import type { Translated } from "../translation";

export const ask: Translated<typeof english> = {
  field: "Wörter für das Modell",
  hint: "the dog",
  withWords: "Mit deinen Wörtern",
  wordless: "Über die Stadt und wie sie trainiert wird",
  experiment: {
    speak: {
      name: "Sprechen",
      does: "Das Modell setzt fort, was du schreibst.",
      send: "Fragen",
      try: "Lass es fortsetzen",
    },
    what_if: {
      name: "Beibringen",
      does: "Erzähl ihm etwas, wahr oder nicht, und sieh, wann es dir glaubt.",
      send: "Beibringen",
      try: "Erzähl ihm eine Lüge",
    },
    transplant: {
      name: "Tauschen",
      does: "Gib einem Wort die Zahlen eines anderen und lass es fortsetzen, was du schreibst.",
      send: "Tauschen",
      try: "Probier einen Tausch",
    },
    probe: {
      name: "Hineinsehen",
      does: "Sieh, welche Wörter deines Satzes auf welche blicken.",
      send: "Ansehen",
      try: "Sieh hinein in",
    },
    rotation: {
      name: "Raum drehen",
      does: "Ändere alle Zahlen auf einmal. Was geht verloren?",
      send: "Drehen",
      try: "",
    },
    bench: {
      name: "Prüfstand",
      does: "Vier Regeln des Trainings lesen dieselben Batches. Welche Zeilen bewegt jede?",
      send: "Alle vier trainieren",
      try: "",
    },
    batch_sizes: {
      name: "Batchgröße",
      does: "Die Stadt schläft nur, weil ein Batch klein ist. Wie groß muss er sein, um alle zu wecken?",
      send: "Zählen",
      try: "",
    },
    environment: {
      name: "Andere Stadt",
      does: "Eine Kopie zieht in eine Stadt, in der jedes Wort die Aufgabe eines anderen hat. Was vergisst sie zuerst?",
      send: "Umziehen",
      try: "",
    },
    deciles: {
      name: "Seltene Wörter",
      does: "Wie gut kennt es die Wörter, die es selten liest?",
      send: "Messen",
      try: "",
    },
    substitution: {
      name: "Einspringen",
      does: "Ein Wort tritt an die Stelle eines anderen, in Sätzen, die das Modell nie gelesen hat. Wer kann für wen einspringen?",
      send: "Ersetzen",
      try: "",
    },
  },
  named: ({ ask: kind, say, times, into, source, other, second }) =>
    [
      say ?? "",
      times ? `${times} ×` : "",
      into && source
        ? `${source} → ${into}`
        : into
          ? `${into} von Schritt ${count(other ?? 0)}`
          : "",
      kind === "transplant" && !into ? `alles von Schritt ${count(other ?? 0)}` : "",
      kind === "probe" && other ? `neben Schritt ${count(other)}` : "",
      second ?? "",
    ]
      .filter(Boolean)
      .join(" · "),
  askedWith: (question, view) => {
    const steps = (number: unknown) =>
      number === 1 ? "1 Schritt" : `${count(Number(number) || 0)} Schritten`;
    if (question.kind === "bench") return `Nach ${steps(question.steps)} Training.`;
    if (question.kind === "environment")
      return `Nach ${steps(question.steps)} dort und ${steps(question.back)} wieder zu Hause.`;
    return ask.named({ ...view, ask: question.kind as ExperimentName });
  },
  broken: "Diese Antwort lässt sich nicht zeigen: Sie ist nicht vollständig.",
  answerGone:
    "Die Antwort, die hier stehen sollte, ist weg oder noch unterwegs. Du kannst noch einmal fragen.",
  recorded:
    "Dieser Lauf hat hier kein Modell: Seine Zahlen wurden in einem anderen Programm aufgezeichnet, also kann es niemand fragen.",
  viewer: "Fragen kann nur, wer vorführt. Du siehst, was bisher gefragt wurde.",
  file: "Diese Seite ist eine Datei, in der niemand fragen kann. Du siehst, was vorher gefragt wurde.",
  nothingYet: "Noch wurde nichts gefragt.",
  before: "Schon gefragt",
  sending: "Die Frage wird geschickt",
  waking: "Das Modell wird geweckt",
  waiting: "Es wartet: Erst kommt eine andere Frage dran",
  running: (activity) => activity || "Es arbeitet",
  cancel: "Abbrechen",
  cancelled: "Zurückgenommen.",
  failed: "Die Frage konnte nicht beantwortet werden.",
  problem: (sentence) =>
    sentence.replace(/^[a-z_]+: /, "").replace(/^\p{Ll}/u, (letter) => letter.toUpperCase()),
  confirm: "Trotzdem fragen",
  atStep: (step) => (step ? `Bei Schritt ${count(step)}` : "Vor dem ersten Schritt"),
  askAt: (step) => (step ? `Bei Schritt ${count(step)} fragen` : "Vor dem ersten Schritt fragen"),
  askFirst: "Fragen, bevor es etwas gelernt hat",
  likeliest: "Seine wahrscheinlichsten Wörter",
  byChance: "Mit Zufall",
  likeliestMore: "An jeder Stelle das Wort, das das Modell am wahrscheinlichsten findet.",
  byChanceMore:
    "An jeder Stelle würfelt das Modell: Ein Wort, das es doppelt so wahrscheinlich findet, kommt doppelt so oft.",
  words:
    "Was das Modell gesagt hat. Mit den Pfeiltasten geht es von Wort zu Wort, und du siehst, woran es noch gedacht hat",
  said: (line) => `Es sagt: ${line}`,
  after: (words) => `Nach „${words}“ hat es gedacht:`,
  took: "gesagt",
  probability: (share) => percent(share),
  again: "Noch einmal sagen",
  finish: "Alles auf einmal",
  replayed: {
    equal: (from) =>
      `Neu berechnet von ${from ? `Schritt ${count(from)}` : "Anfang"} an: Bit für Bit gleich der Aufzeichnung.`,
    loaded: (from) => `Gelesen aus dem, was von Schritt ${count(from)} aufgehoben ist.`,
    start: "Das Modell, wie es war, bevor es etwas gelesen hat.",
    differs: (value) =>
      value === null
        ? "Hier neu berechnet: Es weicht von der Aufzeichnung ab, wie auf einem anderen Computer."
        : `Hier neu berechnet: Es weicht um ${tiny(value)} von der Aufzeichnung ab, wie auf einem anderen Computer.`,
    unknown: (from) =>
      `Neu berechnet von Schritt ${count(from)} an; die Aufzeichnung hat nichts zum Vergleichen.`,
  },
  steps: "Dieselben Wörter, Schritt für Schritt",
  stepsMore: "Ein Klick auf eine Zeile führt zu ihrem Schritt.",
};
