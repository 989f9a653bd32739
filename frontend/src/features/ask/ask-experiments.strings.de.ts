/** German texts of the experiments with the model. */

import { plain } from "../../strings/amounts";
import { fine, percent } from "../../strings/shares";
import type {
  probe as englishProbe,
  transplant as englishTransplant,
  whatIf as englishWhatIf,
  rotation as englishRotation,
} from "./ask-experiments.strings";
import { count, fixed } from "../../strings/numbers";
import type { Translated } from "../../strings/translation";

const times = (number: number) => (number === 1 ? "einmal" : `${count(number)}-mal`);
const steps = (number: number) => (number === 1 ? "1 Schritt" : `${count(number)} Schritte`);

const unchanged = "Das war eine Kopie. Dein Lauf bleibt, wie er ist.";

export const whatIf: Translated<typeof englishWhatIf> = {
  times: (value) => `Zeig ihm deinen Satz ${times(value)}`,
  after: (value) =>
    value
      ? `danach ${steps(value)} mit dem ursprünglichen Text`
      : "danach nichts vom ursprünglichen Text",
  empty:
    "Eine Kopie des Modells liest deinen Satz immer wieder, wie beim Training. Du siehst, wann es dir glaubt, welche anderen Wörter sich mit ändern und ob es dabei bleibt. Dein Lauf bleibt, wie er ist.",
  told: (context) => `Nach „${context}“ sagt es`,
  before: "vorher",
  afterTimes: (value) => `${times(value)} gelesen`,
  afterTown: (value) =>
    `nach ${value === 1 ? "1 normalen Schritt" : `${count(value)} normalen Schritten`}`,
  change: (before, after) => `${percent(before)} → ${percent(after)}`,
  believed: (after, word) =>
    after === null
      ? `Es glaubt dir noch nicht: Alles andere zusammen bleibt wahrscheinlicher als „${word}“. Zeig ihm den Satz öfter oder versuch einen späteren Schritt: Ein Modell muss sprechen können, bevor man ihm etwas erzählen kann.`
      : after === 0
        ? `Es hat „${word}“ schon gesagt, bevor du ihm etwas erzählt hast.`
        : `Es genügt, den Satz ${times(after)} zu lesen: Von da an ist „${word}“ wahrscheinlicher als alles andere zusammen.`,
  saidBefore: (word, before, after) =>
    `Seine erste Wahl vorher, „${word}“: ${fine(before)} → ${fine(after)}.`,
  chart: (word) => `Wie wahrscheinlich „${word}“ ist, in Prozent, Schritt für Schritt`,
  line: (name, first, last) =>
    `${name}: ${fixed(first[1], 1)}\u00a0% am Anfang, ${fixed(last[1], 1)}\u00a0% bei Schritt ${count(last[0])}`,
  axis: (taught, last) =>
    last > taught
      ? `% je Schritt: ${taught} mit deinem Satz, dann der ursprüngliche Text`
      : "% je Schritt mit deinem Satz",
  turn: "ursprünglicher Text",
  play: "Auf der Karte beim Lernen zusehen",
  stop: "Anhalten",
  copy: "Jedes Mal in zwei Takten: Erst leuchten die Wörter, die es liest, dann zeigen Ringe, wie weit sich ihre Zeilen bewegt haben.",
  beat: (number, all, moved, counts) =>
    `Lesen ${number} von ${all}: ` +
    (moved
      ? `${count(counts?.moved ?? 0)} Zeilen haben sich bewegt. Je weiter der Ring, desto weiter.`
      : `${count(counts?.lit ?? 0)} Zeilen werden gelesen und leuchten.`),
  others: "Was sich noch geändert hat",
  othersMore: (word, watched, words) =>
    `Von diesen war nie die Rede. Einen Ring auf der Karte haben die von ${count(watched)} anderen, bei denen „${word}“ am meisten zugenommen hat. Durch Zufall allein wären es ${plain(100 / words, 1)}\u00a0%.`,
  nobody: (watched) => `Keines der ${count(watched)} anderen, die geprüft wurden.`,
  forgets: "Was es gekostet hat",
  parameters: (share) =>
    `Dein Satz hat ${fine(share)} aller Zahlen der Kopie geändert, nicht nur die seiner Wörter.`,
  unchanged,
};

export const transplant: Translated<typeof englishTransplant> = {
  take: "Was eingesetzt wird",
  what: {
    word: "die Zeile eines anderen Wortes",
    step: "seine eigene Zeile von einem anderen Schritt",
    city: "die ganze Stadt eines anderen Schritts",
  },
  putRow: "Die Zeile von",
  inPlace: "an die Stelle von",
  rowOf: "Die Zeile von",
  asAtStep: "wie sie war bei Schritt",
  empty:
    "Alles, was das Modell von einem Wort weiß, ist eine Zeile aus Zahlen. Gib dem Hund (dog) die Zeile der Katze (cat) und sieh, was der Hund sagt. Dein Lauf bleibt, wie er ist.",
  did: (into, source, step, rows) =>
    !into
      ? `Die ganze Stadt von Schritt ${count(step)} an der Stelle von dieser: ${count(rows)} Zeilen.`
      : source !== into
        ? `Die Zeile von „${source}“ steht jetzt an der Stelle von „${into}“.`
        : `„${into}“ hat jetzt seine Zeile von Schritt ${count(step)}.`,
  before: "Vorher",
  after: "Mit der anderen Zeile",
  first: (word, before, after) => `„${word}“: ${fine(before ?? 0)} → ${fine(after ?? 0)}.`,
  instead: (source, same) =>
    same
      ? `Es sagt genau das, was es über „${source}“ sagt: Die Zahlen sind alles, was es von einem Wort weiß.`
      : `Es sagt nicht ganz das, was es über „${source}“ sagt.`,
  loss: "Wie gut es noch vorhersagt",
  losses: (before, after, chance) => {
    const guess = chance === null ? "" : ` Blindes Raten: ${fixed(chance, 2)}.`;
    return `Seine Überraschung beim Text des Laufs: vorher ${fixed(before, 2)}, jetzt ${fixed(after, 2)}.${guess}`;
  },
  moved: (rows, distance) =>
    rows === 1
      ? `Eine Zeile ist anders, um einen Abstand von ${fixed(distance, 2)}.`
      : `${count(rows)} Zeilen sind anders, im Mittel um einen Abstand von ${fixed(distance, 2)}.`,
  unchanged,
};

export const rotation: Translated<typeof englishRotation> = {
  empty:
    "Der Computer dreht den ganzen Raum zufällig, wie man einen Globus dreht. Welche Zahlen bleiben gleich? Welche Wörter sind noch Nachbarn? Rate erst.",
  changed: (numbers) => `von ${count(numbers)} Zahlen haben sich geändert`,
  kept: (lists) => `von ${count(lists)} Wörtern haben ihre zehn Nachbarn behalten`,
  numbers: (word) => `Die ersten Zahlen von „${word}“`,
  neighbours: (word) => `Die Nachbarn von „${word}“, und wie ähnlich sie sind`,
  before: "vorher",
  after: "gedreht",
  number: (value) => fixed(value, 3),
  purity: (before, after, chance) =>
    `Von den nächsten Nachbarn eines Wortes (so vielen, wie seine Art weitere hat, höchstens zehn) sind vorher ${fine(before)} von seiner Art und nachher ${fine(after)} (durch Zufall: ${fine(chance)}).`,
  breaks: "Was kaputtgeht",
  breaksMore:
    "Eine Zahl allein bedeutet nichts; was Wörter bedeuten, liegt darin, wie sie zueinander stehen. Aber die Schichten hinter dieser Matrix haben mit den alten Zahlen gelernt. Wird nur die Matrix gedreht, verstehen sie nichts mehr:",
  unchanged,
};

export const probe: Translated<typeof englishProbe> = {
  second: "Mit einem zweiten Satz vergleichen (oder leer lassen)",
  secondHint: "ein Satz mit einem derselben Wörter",
  other: "Daneben, bei Schritt",
  empty:
    "Um das nächste Wort zu raten, blickt jedes Wort auf die Wörter davor zurück. Auf welche, das hat es gelernt: Das heißt Aufmerksamkeit. Hier siehst du die Blicke jeder Schicht und jedes Kopfes, und wie sie waren, bevor es gelernt hat.",
  heads: "Jedes Quadrat ist ein Kopf, jede Reihe von Quadraten eine Schicht. Wähle eines",
  head: (layer, head) => `Schicht ${layer + 1}, Kopf ${head + 1}`,
  map: (layer, head) =>
    `Schicht ${layer + 1}, Kopf ${head + 1}: welches Wort auf welches blickt. Pfeiltasten gehen von Zelle zu Zelle`,
  looks: (from, to, share) => `„${from}“ blickt auf „${to}“: ${fine(share)}.`,
  compared: (before, seen) =>
    (before ? `Bei Schritt ${count(before.step)}: ${fine(before.share)}. ` : "") +
    (seen === 1
      ? "Es sieht nur sich selbst."
      : `Bei gleichmäßigem Blick auf alle ${count(seen)} Wörter: ${fine(1 / seen)}.`),
  same: (at) => `Derselbe Kopf. ${at}`,
  change: (share) => `${fine(share)} der Aufmerksamkeit dieses Kopfes gehen jetzt woandershin.`,
  apart: "Dasselbe Wort in beiden Sätzen",
  apartMore:
    "1: Das Modell hält es für dasselbe; 0: nichts gemeinsam. Am Eingang ist es nur seine Zeile und seine Stelle; Schicht für Schicht färbt der Satz es ein.",
  word: "Wort",
  layer: (layer) => (layer ? `Schicht ${layer}` : "Eingang"),
  cosine: (value) => fixed(value, 2),
  was: (value) => `(${fixed(value, 2)})`,
  wasMore: (at) => `In Klammern: ${at.replace(/^./, (letter) => letter.toLowerCase())}.`,
  nothingShared: "Die beiden Sätze haben kein Wort gemeinsam.",
};
