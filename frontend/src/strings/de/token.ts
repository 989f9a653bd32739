/** German texts of the cards of a word and of a neighbourhood. */

import { count } from "../numbers";
import type { token as english } from "../token";
import type { Translated } from "../translation";

export const token: Translated<typeof english> = {
  explore: {
    title: "Erkunden",
    gameOpen: "Spielen",
    gameMore: "Ein Spiel darum, welche Wörter für das Modell beieinander liegen.",
    find: "Ein Wort finden",
    findMore: "Tipp ein Licht auf der Karte an, oder schreib ein Wort.",
    try: "Wörter zum Ausprobieren",
    ask: "Frag das Modell",
    askMore: "Schreib ein paar Wörter, und es setzt sie fort.",
    course: "Der Kurs",
    courseOpen: "Zum Kurs",
    courseMore: "Erst raten, dann nachsehen: wie ein Modell lernt, ein paar Minuten je Teil.",
    claims: "Stimmt das?",
    claimsMore: "28 Behauptungen über das Lernen, und was dieser Lauf zu jeder sagt.",
    geometry: "Geometrie der Wörter",
    geometryMore:
      "King minus man plus woman: Wörter addieren, Richtungen zeichnen und sehen, was der Zufall ergäbe.",
    districts: "Viertel",
    districtsMore: "Das Modell hat diese Wörter zusammengelegt. Die Namen sind von uns.",
    noneYet:
      "Noch keine: Keine Wörter liegen dicht genug beieinander. Viertel entstehen, während das Modell liest.",
    unknown: "In diesem Lauf hat niemand nach Vierteln gesucht.",
  },
  district: {
    made: (words) =>
      `${words === 1 ? "1 Wort" : `${count(words)} Wörter`}, vom Modell zusammengelegt`,
    formed: (step) => `Entstanden bei Schritt ${count(step)}.`,
    looking: "Es wird gesucht, bei welchem Schritt es entstand",
    share: (some, all, kind) =>
      `${count(some)} von ${count(all)} sind von einer Art: ${kind}. Niemand hat es ihm gesagt.`,
    named: "Ein Viertel legt das Modell zusammen, seinen Namen geben wir.",
    before: (names) => `Frühere Namen: ${names}.`,
    words: "Seine Wörter",
    gone: "Ein solches Viertel gibt es bei diesem Schritt nicht.",
    look: "Auf der Karte ansehen",
    all: "Alle Viertel",
  },
  token: {
    occurs: (n) =>
      Number.isNaN(n)
        ? ""
        : n
          ? `kommt ${n === 1 ? "einmal" : `${count(n)}-mal`} vor`
          : "kommt nicht vor",
    kindMore: "Seine wahre Art: Wir kennen sie, das Modell nicht.",
    clear: "Loslassen",
    clearMore: "Dieses Wort loslassen (Esc)",

    neighbours: "Nachbarn",
    then: "bei Schritt",
    thenMore: "Der Schritt zum Vergleichen",
    now: (step) => `jetzt (${count(step)})`,
    past: (step) => `bei Schritt ${count(step)}`,
    similarity: "Ähnlichkeit: 1 ist dieselbe Richtung, 0 heißt nichts gemeinsam (Kosinus)",
    similar: "Ähnlichkeit",
    nearest: (step) => `Von Schritt ${count(step)}, dem nächsten, der gespeichert ist.`,
    more: (n) => `${count(n)} mehr`,
    fewer: "Weniger",
    noneYet: "Bei diesem Schritt sind keine bekannt.",

    ask: "Fragen",
    askMore: "Lass das Modell von diesem Wort an weitermachen",
    geometry: "Geometrie",
    geometryMore: "Wörter addieren, subtrahieren und aufreihen, dieses zuerst",
    way: "Seinen Weg ansehen",
    wayMore: "Zeichnet den Weg dieses Wortes über die Karte, vom ersten Schritt bis zum letzten",
    compareMaps: "Vergleichen",
    compareMapsMore: (then) =>
      `Zwei Karten, Schritt ${count(then)} und jetzt, mit einem Ring um dieses Wort auf beiden`,
    card: "Bild speichern",
    cardMore: "Speichert ein Bild dieses Wortes mit seinen Nachbarn damals und jetzt",
    cardSentence: "Die Wörter, die ihm am nächsten sind, für ein Modell, das durch Lesen lernt",
    cardThen: (step) => `Schritt ${count(step)}`,

    numbers: "Zahlen",
    class: "wahre Art (wir kennen sie, das Modell nicht)",
    family: "Familie",
    district: "Viertel",
    norm: "Länge seines Vektors",
    touches: "in Batches",
    lastLit: "zuletzt gelesen",
    ago: (steps) => {
      if (steps <= 0) return "in diesem Schritt";
      return steps === 1 ? "vor 1 Schritt" : `vor ${count(steps)} Schritten`;
    },
    never: "noch nie",
    notRecorded: "nicht aufgezeichnet",
    trust: "auf der Karte",
    trusted: (real, of) => `${real} von ${of} Nachbarn sind echt`,
    noTrust: "noch nicht bekannt",
    gradient: "Gradient beim letzten Leuchten",
    unseen: "noch nicht gesehen",
    shownAt: (step) => `Der Vektor nach Schritt ${count(step)}.`,
    over: "Im Lauf der Zeit",
    overMore:
      "Die gestrichelte Linie ist der Schritt auf dem Bildschirm; jede Zahl ist von diesem Schritt oder vom letzten davor.",
    length: "Länge seines Vektors",
    turned: "Gedreht seit dem ersten Schritt, Grad",
    turnedStep: "Gedreht seit dem gespeicherten Schritt davor, Grad",
    gradientPath: "Gradient, wenn es leuchtete",
    neverLit: "Es war noch in keinem Batch.",
    saidAt: (value, step) => `${value} bei Schritt ${step}`,
    fetching: "Seine Geschichte wird geholt",
    compare: "Neben einem anderen Wort",
    compareMore:
      "Abstand und Ähnlichkeit der beiden Vektoren im Lauf der Zeit. Wähle einen Nachbarn oder finde irgendein Wort; oder merk dir dieses und klick dann das andere auf der Karte an.",
    compareWith: "Das Wort zum Vergleichen",
    compareSearch: "Das andere Wort finden",
    noPair: "kein anderes Wort",
    keep: "Dieses merken",
    keepMore: "Merkt sich dieses Wort, um es mit dem nächsten zu vergleichen, das du wählst",
    kept: "Dieses Wort ist gemerkt: Wähle ein anderes, mit der Suche oder auf der Karte.",
    distance: "Abstand (euklidisch)",
    cosineOver: "Ähnlichkeit (Kosinus)",
  },
};
