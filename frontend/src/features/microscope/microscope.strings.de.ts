/** German texts of the place where one training step is looked at under the microscope. */

import { chance } from "../../strings/amounts";
import type { microscope as english } from "./microscope.strings";
import { count } from "../../strings/numbers";
import type { Translated } from "../../strings/translation";
import { ask } from "../../strings/de/ask";

export const microscope: Translated<typeof english> = {
  title: "Unter dem Mikroskop",
  step: (step) => `Schritt ${count(step)}`,
  close: "Das Mikroskop schließen",
  open: (step) => `Schritt ${count(step)} öffnen`,
  opens:
    "Ein Trainingsschritt, gerade neu berechnet: von seinen Wörtern bis zur Änderung einer einzigen Zahl.",
  first: "Vor dem ersten Schritt ist noch nichts gelernt. Geh zu einem späteren Schritt.",
  recorded:
    "Dieser Lauf wurde in einem anderen Programm aufgezeichnet; seine Schritte lassen sich hier nicht neu berechnen.",
  viewer:
    "In diesem Browser kannst du nur zusehen. Schritte öffnet der Link, den Lamplighter beim Start ausgibt. Du siehst die bisher geöffneten.",
  inClass: "Die Schritte öffnet, wer vorführt. Du siehst hier jeden davon.",
  file: "Diese Seite ist eine Datei ohne das Modell. Du siehst die vorher geöffneten Schritte.",
  nothingYet: "Noch ist kein Schritt geöffnet.",
  moved: (shown, now) => `Das ist Schritt ${count(shown)}. Du bist bei Schritt ${count(now)}.`,
  backTo: (step) => `Zurück zu Schritt ${count(step)}`,
  waiting: ask.waiting,
  cancel: ask.cancel,
  broken: ask.broken,
  confirm: "Trotzdem öffnen",
  stations: "Ein Schritt, von Wörtern bis zu einer geänderten Zahl",

  symbol: {
    name: "Was es gelesen hat",
    term: "Symbole",
    more: "Je heller ein Wort, desto sicherer war das Modell, dass es kommt: seine Wahrscheinlichkeit vor diesem Schritt.",
    words:
      "Wörter des Schritts. Pfeiltasten gehen von Wort zu Wort; Enter verfolgt die Zeile eines Wortes",
    word: (word, p, after) =>
      p === null
        ? `„${word}“: das erste Wort, das niemand geraten hat`
        : `„${word}“: Das Modell fand es zu ${chance(p)} wahrscheinlich, nach dem Schritt zu ${chance(after)}`,
    guesses: (words) => `Nach „${words}“ hat es geraten`,
    unread: (word, times) =>
      times
        ? `„${word}“ steht in einem anderen Text dieses Schritts.`
        : `Dieser Schritt hat „${word}“ nicht gelesen.`,
    truth: "das Wort, das kam",
    place: (rank) => `Platz ${count(rank)}`,
    chance,
    sequence: (sequence, all) => `Text ${count(sequence + 1)} von ${count(all)}`,
    previous: "Der Text davor",
    next: "Der nächste Text",
  },

  vector: {
    name: "Daraus werden Zahlen",
    term: "Vektor: sein Embedding",
    of: (numbers) => `Für das Modell ist ein Wort diese ${count(numbers)} Zahlen:`,
    strip: (word) => `Zahlen von „${word}“: Die Pfeiltasten wählen eine, Enter verfolgt sie`,
    number: (coordinate) => `Zahl ${count(coordinate)}`,
    value: (coordinate, value) => `Zahl ${count(coordinate)}: ${value}`,
    negative: "unter null",
    positive: "darüber",
    first: (shown, all) => `Die ersten ${count(shown)} von ${count(all)} sind zu sehen.`,
    follow: (word, coordinate) => `„${word}“, Zahl ${count(coordinate)} verfolgen`,
    unasked: (word) =>
      `Du siehst „${word}“: Ein anderes Wort hat bei diesem Schritt noch niemand verfolgt.`,
  },

  transformation: {
    name: (products) => `${count(products)} Matrixprodukte`,
    term: "Umformung: der Weg vorwärts",
    more: (flops, back) =>
      `Vorwärts: ${flops} Rechenschritte. Zurück: noch ${count(back)} Matrixprodukte.`,
    layers: "Teile des Modells, der Reihe nach; jeder öffnet seine Rechenschritte",
    layer: (flops) => `${flops} Rechenschritte (FLOP) auf dem Weg vorwärts`,
    operations: "Rechenschritte der Reihe nach, mit den Größen ihrer Tabellen",
    product: "Matrixprodukt",
    linear: "Eine Zahl davon, zusammengezählt:",
    linearTerm: (name, layer, output, outputs) =>
      `y = W x + b: Ausgang ${count(output)} von ${count(outputs)} von „${name}“ in ${layer}, beim letzten Wort des Textes`,
    bars: (terms) => `${count(terms)} Produkte, jedes zur Summe der vorigen gezählt`,
    sum: (sum, b, y) => `${sum} + ${b} = ${y}`,
    sumMore: "die Summe aus w mal x, plus b, ist y",
    exact: "Das Modell hat dieselbe Zahl, bis zur letzten Stelle.",
    differs: (difference) =>
      `Der Wert des Modells weicht um ${difference} ab, weil es jede Addition rundet.`,
  },

  gradient: {
    name: "Der Fehler fließt zurück",
    term: "Gradient, Schicht für Schicht",
    more: "Je breiter, desto stärker will ein Teil sich ändern.",
    label:
      "Der Gradient vom Verlust zurück zu den Zeilen der Wörter, als Fluss; seine Zahlen stehen daneben",
    loss: "Überraschung",
    lossTerm: "Verlust",
    norm: (norm) => `Euklidische Norm seines Gradienten, vor dem Kappen: ${norm}`,
    flags: { vanishing: "versiegt", exploding: "tritt über die Ufer" },
    flagsMore: (share, times) =>
      `Versiegt (vanishing): unter ${share} des breitesten. Tritt über die Ufer (exploding): über ${times}-mal der Grenze.`,
    clipped: (norm, limit, scale) =>
      `Alles zusammen: ${norm}, mehr als die Grenze von ${limit}. Also wurde alles auf ${scale} verkleinert.`,
    unclipped: (norm, limit) =>
      `Alles zusammen: ${norm}, innerhalb der Grenze von ${limit}: Nichts wurde verkleinert.`,
    clipMore:
      "Kappen (clipping): Die Norm des ganzen Gradienten ist begrenzt, damit kein Schritt zu weit geht",
  },

  update: {
    name: "Eine Zahl ändert sich",
    term: "Änderung durch den Optimierer",
    which: (word, coordinate) => `„${word}“, Zahl ${count(coordinate)}`,
    gradient: ["Gradient", "g, die Steigung des Verlusts"],
    mean: ["laufendes Mittel m", "m, das laufende Mittel früherer Gradienten; vor diesem Schritt"],
    square: [
      "… der Quadrate v",
      "v, das laufende Mittel quadrierter Gradienten; vor diesem Schritt",
    ],
    correction: [
      "Anlauf (m, v)",
      "Bias-Korrektur: So viel von m und von v ist nach diesen Schritten da",
    ],
    stride: ["Schrittweite", "das Lerntempo mit beiden Korrekturen"],
    divisor: ["geteilt durch", "die Wurzel aus v, plus Epsilon"],
    rate: ["Schrittweite", "das Lerntempo"],
    decay: ["Gewichtszerfall", "Weight Decay: Zuerst schrumpft jede Zahl ein wenig gegen 0"],
    correctionOf: (m, v) => `${m}, ${v}`,
    formula: "alt − (Schrittweite × m ÷ Teiler) = neu",
    formulaPlain: "alt − (Schrittweite × Gradient) = neu",
    stays: (value) => `Sie bleibt ${value}.`,
    asleep:
      "Dieses Wort kam im Text nicht vor, also schläft seine Zeile: Der Optimierer lässt sie, wie sie ist.",
    equal: "Gleich der Aufzeichnung, bis aufs letzte Bit.",
    differs: (difference) => `Weicht um ${difference} von der Aufzeichnung ab.`,
    equalModel: "Gleich der Zahl des Modells, bis aufs letzte Bit.",
    differsModel: (difference) => `Weicht um ${difference} von der Zahl des Modells ab.`,
    digest: {
      equal:
        "Die Aufzeichnung hat keine Zahlen dieses Schritts, aber ihren Fingerabdruck (Digest) aus ihnen allen, und der ist gleich.",
      differs:
        "Die Aufzeichnung hat keine Zahlen dieses Schritts, nur ihren Fingerabdruck (Digest), und der ist ein anderer.",
      none: "Die Aufzeichnung hat keine Zahlen dieses Schritts zum Vergleichen.",
    },
    row: (equal, numbers) => `${count(equal)} von ${count(numbers)} Zahlen der Zeile sind gleich.`,
    turned: (degrees) => `Der Pfeil des Wortes hat sich um ${degrees}° gedreht.`,
    turnedMore: (before, after, distance) =>
      `Seine Länge war ${before} und ist ${after}; er hat sich um ${distance} bewegt.`,
    angle: (degrees) => `Die Änderung weicht um ${degrees}° vom steilsten Abstieg ab.`,
    angleMore:
      "Winkel zwischen der Änderung und dem umgekehrten Gradienten, über alle Zahlen des Modells",
    movedOf: (share, rows, all) =>
      `${share} aller Zahlen haben sich bewegt, aber nur ${count(rows)} von ${count(all)} Wörtern.`,
    movedMore: (moved, all) =>
      `${count(moved)} von ${count(all)} Parametern haben sich in diesem Schritt geändert`,
  },

  helped: {
    name: "Hat es geholfen?",
    more: "Überraschung (Verlust, in Nats je Wort) vor dem Schritt und danach: je niedriger, desto besser. 0 Nats: Es war sicher und hatte recht; 0,7: der Wurf einer Münze.",
    same: (words = 0) => `auf den ${count(words)} gerade gelesenen Wörtern`,
    other: (words = 0) => `auf ${count(words)} der nächsten Wörter`,
    unread: (words) =>
      words ? `auf ${count(words)} Wörtern, die es nie liest` : "auf Wörtern, die es nie liest",
    unreadMore:
      "Eine kleine Stichprobe, damit sich jeder Schritt messen lässt. Der Verlust auf ungelesenem Text unter Schritt und Maße ist das Mittel über eine größere.",
    unmeasured: "nicht gemessen: Kein Text wurde zurückbehalten",
    better: "besser",
    worse: "schlechter",
    even: "gleich",
    pair: (before, after) => `${before} → ${after}`,
    risen: (share) => `${share} der gerade gelesenen Wörter wurden wahrscheinlicher.`,
    right: (positions, of, share) =>
      `Es hatte ${count(positions)} von ${count(of)} Wörtern richtig geraten; auch aus ihnen kommt ${share} des Gradienten.`,
    rightNone: (of) => `Es hatte keines von ${count(of)} Wörtern richtig geraten.`,
    rightMore: "Anteil am Gradienten am Ausgang, als Längen über die Stellen summiert",
  },
  checked: {
    equal: "Auch dieser Schritt ist Bit für Bit gleich der Aufzeichnung.",
    differs:
      "Dieser Schritt kam anders heraus als die Aufzeichnung, wie auf einem anderen Computer.",
  },
};
