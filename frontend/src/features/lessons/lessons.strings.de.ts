/** German texts around the course. */

import type { lessons as english } from "./lessons.strings";
import { count } from "../../strings/numbers";
import type { Translated } from "../../strings/translation";

export const lessons: Translated<typeof english> = {
  title: "Der Kurs",
  list: "Welcher Teil?",
  listMore: "In jedem Teil rätst du zuerst. Dann zeigt die Stadt, was gemessen wurde.",
  part: (number, title) => `${number}. ${title}`,
  length: (minutes) => `etwa ${count(minutes)} ${minutes === 1 ? "Minute" : "Minuten"}`,
  none: "Hier gibt es keine Teile.",
  close: "Den Kurs verlassen",
  all: "Alle Teile",
  kinds: {
    question: "Eine Frage",
    prediction: "Dein Tipp",
    look: "Sieh hin",
    number: "Die Zahl",
    fails: "Wo es nicht stimmt",
    "own-words": "In deinen Worten",
  },
  stage: (stage, of) => `${stage} von ${of}`,
  back: "Zurück",
  next: "Weiter",
  finish: "Zu allen Teilen",
  curious: "Für Neugierige",
  fold: "Die Karte vergrößern",
  foldPanel: "Das Fenster vergrößern",
  showMap: "Zur Karte",
  showPanel: "Zum Fenster",
  unfold: "Zum Text",
  keep: "Das ist mein Tipp",
  skip: "Überspringen",
  kept: (guess) => `Dein Tipp: ${guess}.`,
  guess: "Dein Tipp",
  results: "Deine Tipps",
  result: (guess, measured) =>
    [
      guess === null ? "" : `Dein Tipp: ${guess}. `,
      measured === null ? "Das ist noch nicht bekannt." : `Gemessen: ${measured}.`,
    ].join(""),
  picture: "Getippt und gemessen",
  pictureMore:
    "Jeder Punkt ist ein Tipp. Auf der Diagonale war er richtig; darüber war die Zahl größer als gedacht, darunter kleiner.",
  pictureLabel: (dots) =>
    `Ein Bild von ${count(dots)} ${dots === 1 ? "Tipp" : "Tipps"} neben dem, was gemessen wurde; die Liste darüber hat die Zahlen.`,
  guessed: "getippt",
  measured: "gemessen",
  again: "Meine Tipps vergessen",
  unknown: "…",
  lessThan: "weniger als",
  moreThan: "mehr als",
  waits: {
    step: (step) => `nicht bekannt vor Schritt ${count(step)}`,
    measure: () => "noch nicht gemessen",
    answer: () => "noch nicht beantwortet",
    button: () => "niemand hat den Knopf dafür gedrückt",
    ended: (step) => `dieser Lauf endete vor Schritt ${count(step)}`,
  },
  waitsForStep: (step, now) =>
    `Hier geht es um Schritt ${count(step)}, und das Modell ist bei Schritt ${count(now)}. Der Text wartet darauf; du kannst weiterlesen.`,
  endedBefore: (step, last) =>
    `Hier geht es um Schritt ${count(step)}, aber dieser Lauf endete bei Schritt ${count(last)}.`,
  waitsForButton:
    "Wo … steht, kommt die Zahl, wenn jemand den Knopf drückt, von dem der Text spricht.",
  waitsForNumbers: "Wo … steht, ist die Zahl noch nicht da.",
  asking: "Das Modell wird gefragt …",
  notComputed: (run) =>
    `Ein Teil der Zahlen wurde für diesen Lauf noch nicht berechnet, darum fehlen manche Abschnitte und Sätze. Öffne den Kurs an dem Computer, auf dem Lamplighter läuft, oder gib dort ein: lamplighter examine ${run} --prepare lessons`,
  notComputedHere: "Die Zahlen dafür wurden für diesen Lauf noch nicht berechnet.",
  skipped: (titles) =>
    `Ausgelassen, weil die Zahlen für diesen Lauf noch nicht berechnet wurden: ${titles.join("; ")}`,
  failed: "Das Modell konnte nicht antworten.",
  askAgain: "Noch einmal fragen",
  confirm: "Trotzdem fragen",
  // Behind "von" and "mit".
  corpora: { lamptown: "Lamptown", novels: "zwei Romanen", modular: "Aufgaben auf der Uhr" },
  otherWords: (words, text) =>
    `Dieser Teil handelt von ${text}. Dieser Lauf kennt ${words.join(", ")} nicht, darum geht der Teil mit einem Lauf mit ${text} weiter.`,
  runs: "Einen Lauf wählen",
  loading: "Der Kurs wird geöffnet …",
  broken: "Dieser Teil lässt sich nicht zeigen.",
  packed:
    "In dieser Datei ist kein Teil des Kurses: Öffne den Lauf mit Lamplighter, um ihn zu machen.",
  pictureOthers: "Was blass ist, kommt aus anderen Teilen mit diesem Lauf.",
  openOther: (name) => `Mit ${name} weitermachen`,
  beginOther: (text) => `Einen Lauf mit ${text} starten`,
  beginOtherMore:
    "Der neue Lauf beginnt bei Schritt 0, und dieser Teil geht daneben weiter, während das Modell lernt.",
  needsApp: (panel) =>
    `Dieses Bild (${panel}) ist nicht in der Datei: Was du laut Text darin tun sollst, geht nur in der App. Der Text und seine Zahlen sind hier.`,
  inApp: "in der App",
  stepNotHeld: (step, shown) =>
    `Schritt ${count(step)} ist nicht in dieser Datei: Du siehst Schritt ${count(shown)}.`,
  teacher: {
    link: "Für die Lehrkraft",
    about: (part) => `Für die Lehrkraft: ${part}`,
    before: "Für die Lehrkraft: bevor es losgeht",
    start: "Bevor es losgeht",
    print: "Drucken",
    open: "Diesen Teil in der App öffnen",
    course: "Den Kurs in der App öffnen",
    pages: "Seiten für die Lehrkraft",
    name: "Vorname",
    date: "Datum",
    blank: "Hier schreiben",
    thisComputer:
      "Diese Adressen gelten nur auf diesem Computer. Für andere Geräte: Lass die Klasse beitreten, dann folgt sie dir durch jeden Abschnitt.",
    otherWords: (words) =>
      `Dieser Lauf kennt ${words} nicht. Darum lässt sich der Teil mit ihm nicht zeigen, und seine Zahlen fehlen hier.`,
    notHere:
      "Diese Seite ist zum Vorführen: Öffne sie aus der Liste der Teile, in dem Browser, der vorführt.",
  },
  unknownInFile: "Wo … steht, war die Zahl nicht bekannt, als diese Datei gemacht wurde.",
};
