/** German texts of the panel for questions to the model. */

import { tiny } from "../amounts";
import { percent } from "../shares";
import type { ask as english } from "../ask";
import { count } from "../numbers";
import type { ExperimentName } from "../../model/view/view-options";
import type { Translated } from "../translation";

export const ask: Translated<typeof english> = {
  field: "Wörter für das Modell",
  hint: "the dog",
  begin: (words) => `${words} …`,
  experiment: {
    speak: {
      name: "Fortsetzen",
      does: "Schreib etwas; das Modell setzt es fort.",
      send: "Fortsetzen",
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
      does: "Gib einem Wort die Zahlen eines anderen und lass das Modell deinen Text fortsetzen.",
      send: "Tauschen",
      try: "Probier einen Tausch",
    },
    probe: {
      name: "Aufmerksamkeit",
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
    heads: {
      name: "Köpfe",
      does: "Wohin schaut jeder Aufmerksamkeitskopf, und seit welchem Schritt?",
      send: "Nachsehen",
      try: "",
    },
    acquisition: {
      name: "Wann gelernt",
      does: "Bis zu welchem Schritt hatte das Modell jedes Wort gelernt, und welche kommen früh?",
      send: "Herausfinden",
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
      does: "Die Stadt schläft nur, weil ein Batch klein ist. Wie groß muss er sein, um jedes Wort zu wecken?",
      send: "Zählen",
      try: "",
    },
    environment: {
      name: "Andere Stadt",
      does: "Eine Kopie zieht in eine Stadt, in der jedes Wort seine Rolle mit einem anderen getauscht hat. Was vergisst sie zuerst?",
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
      does: "Ein Wort tritt an die Stelle eines anderen, in Sätzen, die das Modell nie gelesen hat. Welches kann für welches einspringen?",
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
  broken: "Diese Antwort ist nicht vollständig.",
  answerGone:
    "Die Antwort, die hier stehen sollte, ist weg oder noch unterwegs. Du kannst noch einmal fragen.",
  recorded:
    "Dieser Lauf wurde in einem anderen Programm aufgezeichnet; sein Modell ist nicht hier und lässt sich nicht fragen.",
  viewer:
    "In diesem Browser kannst du nur zusehen. Fragen stellt der Link, den Lamplighter beim Start ausgibt. Du siehst, was bisher gefragt wurde.",
  inClass: "Die Fragen stellt, wer vorführt. Du siehst hier jede Frage und ihre Antwort.",
  file: "Diese Seite ist eine Datei ohne das Modell. Du siehst, was vor dem Speichern gefragt wurde.",
  nothingYet: "Noch keine Fragen.",
  before: "Schon gefragt",
  waking: "Das Modell wird geweckt",
  waiting: "Erst kommt eine frühere Frage dran",
  working: "Es arbeitet",
  cancel: "Abbrechen",
  cancelled: "Abgebrochen.",
  failed: "Die Frage konnte nicht beantwortet werden.",
  confirm: "Trotzdem fragen",
  atStep: (step) => (step ? `Bei Schritt ${count(step)}` : "Vor dem ersten Schritt"),
  askAt: (step) =>
    step ? `Schritt ${count(step)} genau neu berechnen` : "Das untrainierte Modell fragen",
  askFirst: "Das untrainierte Modell fragen",
  likeliest: "Am wahrscheinlichsten",
  byChance: "Gezogen",
  likeliestMore: "An jeder Stelle das Wort, das das Modell am wahrscheinlichsten findet.",
  byChanceMore:
    "Es wird gezogen (Sampling): Ein doppelt so wahrscheinliches Wort kommt doppelt so oft.",
  words:
    "Was das Modell gesagt hat. Pfeiltasten gehen von Wort zu Wort und zeigen, was es sonst noch erwogen hat",
  said: (line) => `Es sagt: ${line}`,
  after: (words) => `Die wahrscheinlichsten Wörter nach „${words}“`,
  probability: (share) => percent(share),
  again: "Noch einmal sagen",
  finish: "Alles auf einmal",
  replayed: {
    equal: (from) =>
      `Neu berechnet von ${from ? `Schritt ${count(from)}` : "Anfang"} an; stimmt Bit für Bit mit der Aufzeichnung überein.`,
    loaded: (from) => `Aus dem Modell, das bei Schritt ${count(from)} gespeichert wurde.`,
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
