/** German texts of the panel of selected words. */

import type { selectionPanel as english } from "./selection-panel.strings";
import { count } from "../../strings/numbers";
import type { Translated } from "../../strings/translation";

export const selectionPanel: Translated<typeof english> = {
  none: "Umkreise Wörter auf der Karte, oder wähle sie hier nach dem aus, was sie gemeinsam haben.",

  gather: "Auswählen",
  ways: "Auswählen nach …",
  draw: "Auf der Karte zeichnen",

  district: "Viertel",
  noDistricts: "noch keine gefunden",
  class: "Wahre Art",
  noClasses: "dieser Text hat keine",
  near: "Nachbarn",
  nearOf: (token) => `von ${token}`,
  nearMore: "Wie viele; das gewählte Wort selbst kommt mit.",
  noChosen: "wähle erst ein Wort",
  text: "Wörter mit diesen Buchstaben",
  textMore: "Buchstaben, groß oder klein",
  one: "Das gewählte Wort",
  addOne: "Dazu",
  takeOne: "Weg",
  failed: "Der Server hat nicht gesagt, welche das sind.",

  numbers: "Zahlen",
  more: (n) => `und noch ${count(n)}`,
  classes: "Wahre Arten (wir kennen sie, das Modell nicht)",
  districts: "Viertel",
  others: "keines",
  lit: "Gerade gelesen",
  litIn: (n, all, step) =>
    `${count(n)} von ${count(all)} werden in Schritt ${count(step)} gelesen.`,
  noStep: "Noch ist kein Schritt zu sehen.",

  alike: "Wie ähnlich",
  at: (step, exact) => `bei Schritt ${count(step)}${exact ? "" : " (nächster gespeicherter)"}`,
  aboutAlike: (pairs, random) =>
    `Alle ${count(pairs)} Paare von ihnen neben ${count(random)} zufälligen: Mittel, und wie weit die Werte streuen (Standardabweichung).`,
  measure: "Maß",
  among: "diese",
  random: "beliebiges Paar",
  cosine: "Ähnlichkeit",
  distance: "Abstand",
  range: (least, most) => `von ${least} bis ${most}`,
  two: "Ab zwei Wörtern gibt es Paare zu messen.",
  tooMany: (most) => `Gemessen werden die Paare von höchstens ${count(most)} Wörtern.`,
  measuring: "Es wird gemessen …",
  table: "Paar für Paar",
  tableMore:
    "Ähnlichkeit (Kosinus) über der Diagonale, Abstand (euklidisch) darunter. Ähnlichkeit 1: Die Vektoren zeigen in dieselbe Richtung.",

  align: "Diese festhalten",
  alignMore:
    "Dreht und verschiebt die ganze Karte, so dass diese Wörter stehen bleiben. Nichts wird gespiegelt oder gedehnt.",

  copy: "Die Liste kopieren",
  copied: "Kopiert.",
  download: "Herunterladen",
  downloaded: "Kopieren geht hier nicht: heruntergeladen.",
  partly: (linked) => `Der Link enthält die ersten ${count(linked)} davon.`,
  byRule: "Der Link enthält die Regel, nach der sie gefunden wurden.",
};
