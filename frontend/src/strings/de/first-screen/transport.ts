/** German texts of the bottom bar: time, training, the view. */

import { inTen } from "../../shares";
import { count, decimal, fixed } from "../../numbers";
import type { transport as english } from "../../first-screen/transport";
import type { Translated } from "../../translation";

const wordsOf = (words: number) => `${count(words)} ${words === 1 ? "Wort" : "Wörter"}`;
const perSecond = (steps: number) => `${decimal(steps)} ${steps === 1 ? "Schritt" : "Schritte"}/s`;
const mapStarts = (start: number | null) =>
  `die Karte beginnt ${start === null ? "später" : `bei Schritt ${count(start)}`}`;

export const transport: Translated<typeof english> = {
  transport: {
    label: "Zeit",
    mine: "Meine Ansicht",
    training: "Training",
    trainingPaused: "Training angehalten",
    trainingMore: "Für alle: Das hier ändert das Training selbst",
    pausePicture: "Ansicht anhalten",
    live: "Zurück zu live",
    pausePictureMore: "Hält nur diesen Bildschirm an; das Training läuft weiter (Leertaste)",
    replayFromStart: "Von Anfang an abspielen",
    replayFromStartMore: "Spielt diesen Lauf noch einmal ab, von vor seinem ersten Schritt an",
    played: "Die Wiedergabe ist zu Ende.",
    resumeReplay: "Abspielen",
    resumeReplayMore: "Spielt von diesem Schritt an weiter, nur auf diesem Bildschirm (Leertaste)",
    stepBack: "Einen Schritt zurück",
    stepBackMore: "Der Schritt davor, nur auf diesem Bildschirm (←; mit Umschalt zehn)",
    stepForward: "Einen Schritt vor",
    microscope: "Diesen Schritt unter das Mikroskop",
    microscopeMore: "Von den Wörtern dieses Schritts bis zur Änderung einer einzigen Zahl",
    stepForwardMore:
      "Der nächste Schritt in zwei Takten: erst das Licht und die Gradienten, dann die Bewegung (→; mit Umschalt zehn)",
    pauseReplayMore: "Hält die Wiedergabe nur auf diesem Bildschirm an (Leertaste)",
    toLiveMore: "Aus der Vergangenheit zum neuesten Schritt",
    toEnd: "Zum Ende",
    speed: "Tempo der Wiedergabe, Schritte je Sekunde",
    speedOf: perSecond,
    recorded: "Aus einem anderen Trainingsprogramm aufgezeichnet",
    still: "Kein Training: eine Matrix, wie sie ist",
    checked: "Gefundene Probleme: ",
    smoothed:
      "Die Wiedergabe ist jetzt glatt: Von Schritt 0 an bleibt jedes Wort nahe bei seiner Stelle.",
    dragging: "Lass los, um bei diesem Schritt zu bleiben.",
    mapOf: (step) => `Die Karte ist von Schritt ${count(step)}.`,
    superseded: (step, attempt) =>
      `Schritt ${count(step)} von Versuch ${count(attempt)} gilt nicht mehr: Das Training begann davor neu, und dieser hat ihn ersetzt.`,
    light: (words) =>
      `Erst das Licht: ${wordsOf(words)} gelesen, je heller, desto mehr sollen sie sich ändern. Dann kommt die Bewegung.`,
    move: (words) => `Dann die Bewegung: ${wordsOf(words)} bewegt.`,
    mapMoves: "Die Karte folgt.",
    mapRests: "Nach diesem Schritt wurde keine Karte gezeichnet.",
    pausedForAll: "Das Training ist für alle angehalten.",
    pauseTraining: "Training anhalten",
    resumeTraining: "Training fortsetzen",
    stepOnce: "Ein Schritt",
    stepOnceMore:
      "Ein Trainingsschritt, in zwei Takten in deiner Live-Ansicht; danach ist das Training für alle angehalten",
    pace: "Tempo des Trainings",
    paceOf: (rate) => (rate ? perSecond(rate) : "volles Tempo"),
    paceLater: (pace) => `Dann geht es weiter mit: ${pace}.`,
    continue: "Weitertrainieren",
    whatIf: "Was wäre, wenn …",
    whatIfMore: "Ab diesem Schritt mit einer Änderung weitertrainieren, als eigener Lauf",
    acceptAndContinue: "Annehmen und weitertrainieren",
    rate: "Lerntempo",
    rateMore:
      "Womit es weitergehen soll; vorgeschlagen ist ein Drittel des geplanten, denn damit ist der Lauf fehlgeschlagen",
    continueMore: {
      finished: (steps) => `Noch ${count(steps)} Schritte trainieren`,
      interrupted: (end) =>
        `Weiter von da, wo er beendet wurde, bis Schritt ${count(end)} wie geplant`,
      failed: (end) =>
        `Noch ein Versuch vom letzten Speicherstand, bis Schritt ${count(end)} wie geplant`,
    },
    viewer: "Das kann nur, wer vorführt. Öffne Lamplighter mit seinem Startlink, um vorzuführen.",
    asked: "Angefordert. Es wirkt beim nächsten Schritt.",
    changes: {
      label: (all) => `${count(all)} ${all === 1 ? "Änderung" : "Änderungen"} an Vierteln`,
      more: "Führt alle Wendepunkte und Änderungen an Vierteln auf; jeder Eintrag führt zu seinem Schritt",
      others: (more) => `und noch ${count(more)} Änderungen nahe diesem Schritt`,
    },
    timeline:
      "Überraschung (Verlust, Nats je Wort) nach Schritten: Die helle Linie ist geglättet, die blasse nicht. Pfeile markieren Wendepunkte der Kurven und die größten Änderungen an Vierteln, der Streifen darunter, wo es viele gibt.",
    scrub: "Gezeigter Schritt. Zieh oder nimm die Pfeiltasten, um durch den Lauf zu gehen",
    stays: (step) => `Schritt ${count(step)} bleibt auf dem Bildschirm.`,
    stepInWords: (step, loss, rows, all, heldOut) =>
      [
        `Schritt ${count(step)}`,
        ...(loss === null ? ["…"] : Number.isNaN(loss) ? [] : [`Überraschung ${fixed(loss, 2)}`]),
        ...(heldOut
          ? [
              `${fixed(heldOut.loss, 2)} bei Text, den es nie gelesen hat (Schritt ${count(heldOut.step)})`,
            ]
          : []),
        ...(rows === null ? [] : [`${count(rows)} von ${count(all)} Wörtern bisher gelesen`]),
      ].join(" · "),
  },

  awaiting: {
    step: (step) => `Schritt ${count(step)} wird geladen …`,
    stepLater: (step) => `Schritt ${count(step)} erscheint, sobald er antwortet.`,
    word: "Seine Nachbarn werden geladen …",
    wordLater: "Seine Nachbarn erscheinen, sobald er antwortet.",
    search: "Suche läuft …",
    searchLater: "Das Wort öffnet sich, sobald er antwortet.",
    partLater: "Dieser Teil der Seite öffnet sich, sobald er antwortet.",
    late: "Der Server hat noch nicht geantwortet.",
    stop: "Nicht mehr warten",
  },

  mapSwitch: {
    label: "Karte",
    umap: "Viertel",
    refit: "Viertel (jedes Mal neu)",
    pca: "PCA",
    linear: "Linear",
    umapMore: "Legt Wörter, die das Modell ähnlich gebraucht, nah zueinander (UMAP)",
    linearMore:
      "Eine einfache Projektion: Sobald ihre Richtungen feststehen (Schritt 400), bleibt ein Wort, dessen Vektor bleibt",
    waiting: "Die Wörter bekommen ihren Platz … (bis dahin lineare Ansicht)",
    trust: (recall) => `${inTen(recall)} von 10 Nachbarn auf der Karte sind echt`,
    trustMore: (trust, error) =>
      `Wie viele der zehn Wörter, die einem Wort auf der Karte am nächsten sind, auch im ganzen Raum zu seinen zehn nächsten gehören: das Mittel über eine Stichprobe von Wörtern. Trustworthiness, die knapp Verfehltes verzeiht: ${fixed(100 * trust, 1)} ± ${fixed(100 * error, 1)}\u00a0%.`,
    starts: mapStarts,
    straight: (start) => `Lineare Ansicht: ${mapStarts(start)}.`,
    none: (start) => `Von diesem Schritt gibt es keine Karte: ${mapStarts(start)}.`,
    noTrust: "Wie viele Nachbarn auf der Karte echt sind, ist noch nicht gemessen",
  },
  colours: {
    label: "Farbe",
    family: "Familie",
    class: "Art",
    district: "Viertel",
    frequency: "Häufigkeit",
    age: "wann gelernt",
    since: "zuletzt gelesen",
    gradient: "letzter Gradient",
    moved: "wie weit bewegt",
    trust: "Verlässlichkeit",
    aligned: "Abstand zum anderen Lauf",
    raw: "Abstand, ohne zu drehen",
    neighbours: "andere Nachbarn",
    phase: "Platz auf dem Kreis",
    owner: "Prozess",
    more: "Was die Farbe eines Lichts sagt",
  },
};
