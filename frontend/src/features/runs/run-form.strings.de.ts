/** German texts of the form for a new run. */

import { count } from "../../strings/numbers";
import type { runForm as english } from "./run-form.strings";
import type { Translated } from "../../strings/translation";

export const runForm: Translated<typeof english> = {
  about: "Du kannst alles so lassen, wie es ist.",
  corpus: "Was soll es lesen?",
  lamptown: "Lamptown",
  lamptownMore:
    "Eine erfundene Stadt in einfachen englischen Sätzen. Sieh zu, wie Wörter einer Art zueinander finden.",
  novels: "Zwei Romane",
  novelsMore: "Von Jane Austen, auf Englisch: echter Text, nichts ist angelegt.",
  modular: "Rechnen auf der Uhr",
  modularMore:
    "Neun Uhr plus fünf Stunden ist zwei Uhr. Erst lernt es Aufgaben auswendig, dann findet es die Regel. Dauert ein, zwei Minuten.",
  repeats: "Wörter, die wiederkommen",
  repeatsMore:
    "Listen zufälliger Wörter, dann noch einmal Stücke daraus. Nur wer zurückschaut, kennt das nächste Wort. Abschreiben lernt es auf einen Schlag, nach etwa einer Minute.",
  oneLayer: "Mit nur einer Schicht",
  oneLayerMore: "Die Gegenprobe: Abschreiben braucht zwei Schichten, dieses lernt es nicht.",
  manuals: "Lieber die Python-Handbücher lesen",
  manualsMore: "Die Dokumentation der Python-Pakete auf diesem Server: echtes Englisch.",
  text: "Dein eigener Text",
  textMore: "Füge ihn ein oder wähle eine Datei.",
  optimiser: "Optimierer",
  lazy: "sparsam (lazy): nur berührte Zeilen werden geändert",
  adam: "Adam: schlafende Zeilen treiben mit Schwung weiter",
  sgd: "SGD: kein Schwung, schlafende Zeilen ruhen",
  tied: "Gemeinsame Gewichte (tied)",
  tiedMore:
    "Eine Matrix zum Lesen und zum Vorhersagen: Dann bekommt jede Zeile bei jedem Schritt einen Gradienten.",
  vocabulary: "Wortschatz",
  vocabularyMore: "Größter erlaubter Wortschatz.",
  steps: "Schritte",
  stepsMore: "Wo der Lauf endet; er lässt sich weitertrainieren.",
  seed: "Startzahl (Seed)",
  seedMore: "Dieselbe Startzahl ergibt denselben Lauf.",
  rate: "Lerntempo",
  rateMore: "Wie weit ein Schritt geht. Ist er zu groß, springt der Verlust.",
  dim: "Breite",
  dimMore: "Zahlen in einer Zeile des Embeddings; ein Vielfaches der Zahl der Köpfe, 4.",
  layers: "Schichten",
  layersMore: "Blöcke aus Aufmerksamkeit und MLP.",
  neighbours: "Nachbarn auf der Karte",
  neighboursMore:
    "Wie viele nächste Wörter für jedes zählen: wenige ergeben Inseln, viele ein Land.",
  minDist: "Mindestabstand",
  minDistMore:
    "Wie dicht Wörter beieinander liegen dürfen: klein gibt enge Haufen, groß zieht sie auseinander.",
  spread: "Ausdehnung",
  spreadMore: "Wie weit ein Viertel hinausreicht; nie unter dem Mindestabstand.",
  keyframes: "Ganze Matrix alle",
  keyframesMore:
    "Schritte zwischen zwei ganzen Matrizen; dazwischen werden die Zeilen gespeichert, die sich bewegt haben.",
  budget: "Platte, MB",
  budgetMore: "So viel darf der Lauf höchstens belegen. Kurz davor wird weniger gespeichert.",
  estimate: (size) => `Am Ende etwa ${size} auf der Platte.`,
  tooLarge: (size, budget) =>
    `Alle Schnappschüsse bräuchten etwa ${size}. Nahe an seinen ${budget} speichert der Lauf weniger.`,
  inexact: (every) =>
    `Mit diesem Optimierer bewegt sich fast jede Zeile: Alle ${count(every)} Schritte wird eine ganze Matrix gespeichert.`,
  parts: {
    moved_rows: "bewegte Zeilen",
    keyframes: "ganze Matrizen",
    steps: "Verlust und leuchtende Zeilen",
    map: "Karte",
    checkpoints: "Speicherstände",
    waypoints: "gespeicherte Zustände des Modells",
    corpus: "Text",
  },
  shuffle: "Die Wörter jedes Dokuments mischen",
  shuffleMore: "Die Gegenprobe: dieselben Wörter ohne ihre Reihenfolge.",
  more: "Mehr Einstellungen",
  start: "Training starten",
  starting: "Es startet",
};
