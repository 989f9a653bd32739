/** German texts of the board of claims. */

import type { claims as english } from "./claims.strings";
import { claimTexts as german } from "../../strings/de/claim-texts";
import { count } from "../../strings/numbers";
import { percent } from "../../strings/shares";
import type { Translated } from "../../strings/translation";

export const claims: Translated<typeof english> = {
  title: "Stimmt das?",
  more: "Was man darüber sagt, wie ein Modell lernt. Jede Lampe sagt, was dieser Lauf zeigt.",
  asOf: (step) => `Stand: Schritt ${count(step)}.`,
  step: (step) => `bei Schritt ${count(step)}`,
  training: "Es lernt noch, also können sich Lampen ändern.",
  close: "Zurück zur Karte",
  list: "Die Behauptungen",
  states: {
    holds: "gilt",
    conditional: "gilt unter einer Bedingung",
    failing: "gilt hier nicht",
    unmeasured: "noch nicht gemessen",
  },
  held: (lamps, of) => `${lamps} von ${of} Behauptungen ${lamps === 1 ? "gilt" : "gelten"}`,
  heldOnControl: (lamps) => `(bei vertauschten Wörtern ${lamps})`,
  follow: (holds, of) => `${holds} von ${of}, die aus dem Rezept folgen, gelten`,
  checked: (plaques) => `${plaques} Prüfungen und Definitionen`,
  counts: {
    conditional: (lamps) => `${lamps} unter einer Bedingung`,
    failing: (lamps) => (lamps === 1 ? "1 gilt hier nicht" : `${lamps} gelten hier nicht`),
    unmeasured: (lamps) => `${lamps} noch nicht gemessen`,
  },
  roles: {
    recipe: "Folgt aus dem Rezept",
    check: "Dieses Programm, geprüft",
    definition: "Per Definition",
  },
  roleMore: {
    recipe:
      "wie Batches gezogen werden, was eine Änderung umfasst und womit ein Lauf beginnt, entscheidet darüber, nicht was gelernt wird",
    check: "wäre es falsch, läge der Fehler bei diesem Programm",
    definition: "es sagt, was ein Wort bedeutet, also kann kein Lauf es widerlegen",
  },
  inSet: (holds, of, low, high) =>
    `Von ${count(of)} Läufen mit diesem Rezept stimmt es in ${count(holds)} (${percent(low)} bis ${percent(high)} aller Startzahlen)`,
  onControl: (state) => `Bei vertauschten Wörtern: ${state}`,
  control: (step, training) =>
    `Im Rahmen: der Kontrolllauf, trainiert mit denselben Wörtern in zufälliger Reihenfolge, ${training ? "jetzt bei" : "Stand"} Schritt ${count(step)}:`,
  controlMore: "Öffne dort einmal diese Tafel, dann wird auch er gemessen.",
  noControl:
    "Was davon würde auch bei Unsinn gelten? Das zeigt der Kontrolllauf: dasselbe Modell, trainiert mit denselben Wörtern in zufälliger Reihenfolge.",
  isControl:
    "Dies ist ein Kontrolllauf: Die Wörter seines Textes stehen in zufälliger Reihenfolge, also sollte nicht gelten, was von Bedeutung handelt.",
  trainControl: "Kontrolllauf trainieren",
  controlBegun: "Der Kontrolllauf wird trainiert. Seine Zeichen erscheinen neben diesen.",
  lamp: ({ number, state, role, control }) =>
    [
      `${number}, ${german.claims[number].name}: ${claims.states[state]}`,
      ...(role === "claim" ? [] : [claims.roles[role]]),
      ...(control ? [claims.onControl(claims.states[control.state])] : []),
    ].join(". "),
  compare: { null: "Zum Vergleich", control: "Bei vertauschten Wörtern" },
  interval: (low, high) => `von ${low} bis ${high}`,
  waitsFor: (what) => `Noch nicht gemessen. Es fehlt: ${what}.`,
  units: { nats: "Nats", bits: "Bits", bytes: "Bytes", FLOP: "FLOP", J: "J", ms: "ms" },
  numbers: "Alle Zahlen",
  condition: "Wann es nicht mehr stimmt",
  method: "Wie es gemessen wird",
  imported: "So hat es gemeldet, wer diesen Lauf weitergegeben hat.",
  show: "Zeig her",
  showMore: "Öffnet die Stelle dieser Seite, an der man es sieht",
  breakIt: "Widerleg es",
  seeHowFar: "Sieh, wie weit es reicht",
  measure: "Jetzt messen",
  previous: "Vorige Behauptung",
  next: "Nächste Behauptung",
  measuring: (number, of, activity) => `Messung ${number} von ${of}: ${activity}`,
  waiting: "wartet, bis es dran ist",
  activities: {
    microscope: "ein Schritt unter dem Mikroskop",
    probe: "ein Wort in zwei Sätzen",
    transplant: "ältere Zeilen in diesem Modell",
    batch_sizes: "größere Batches",
    better: "vierzig Schritte, an vier Stellen",
    substitution: "Wörter am Platz von anderen",
    bench: "dieselben Batches unter vier Regeln",
    environment: "ein Aufenthalt in einer anderen Stadt",
    devices: "ein Schritt auf zwei Prozessen",
  },
  stop: "Anhalten",
  goOn: (missing) => `Messen, was fehlt (${missing})`,
  failed: (activity, problem) => `${activity}: ${problem}`,
  confirm: "Trotzdem fragen",
  explained: {
    nats: "Nats messen Überraschung: 0, wenn das Modell sicher war und recht hatte, 0,7 beim Werfen einer Münze.",
    cosine:
      "Ein Kosinus vergleicht die Richtungen zweier Pfeile: 1 heißt dieselbe Richtung, 0 nichts gemeinsam, −1 genau entgegengesetzt.",
    purity:
      "Reinheit ist der Anteil der nächsten Nachbarn eines Wortes, die von seiner Art sind. Es zählen so viele, wie seine Art weitere Wörter hat, höchstens zehn; 100\u00a0% kann also jedes Wort erreichen.",
  },
  unknown: "unbekannt",
  counting: "Läufe werden gezählt …",
  loading: "Der Lauf wird gelesen …",
  broken: "Die Behauptungen lassen sich nicht zeigen.",
  packed: "Eine Datei hat keine Behauptungen: Öffne den Lauf mit Lamplighter, um sie zu sehen.",
};
