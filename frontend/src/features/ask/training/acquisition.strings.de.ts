/** German texts of the experiment about when each word was learned. */

import type { acquisition as english } from "./acquisition.strings";
import { count, fixed, small } from "../../../strings/numbers";
import { fine, percent } from "../../../strings/shares";
import type { Translated } from "../../../strings/translation";

export const acquisition: Translated<typeof english> = {
  empty:
    "Das Modell liest bei jedem gespeicherten Stand zurückbehaltenen Text. Ein Wort gilt ab dem Schritt als gelernt, bei dem seine Überraschung den halben Weg vom reinen Raten zu ihrem tiefsten Stand gefallen ist.",
  summary: (learned, words) => `${count(learned)} von ${count(words)} Wörtern wurden gelernt`,
  middle: (step) => `, die Hälfte davon bis Schritt ${count(step)}`,
  chance:
    "Durch Zufall wäre es keines: Jedes wurde mindestens doppelt so wahrscheinlich, wie es seiner Häufigkeit entspricht.",
  ownText: "Kein Text ist zurückbehalten, deshalb las es den, mit dem es trainiert.",
  rare: (words) => `zu selten für eine Kurve: ${count(words)}`,
  forgotten: (words, chance) =>
    `wieder vergessen: ${count(words)}, durch Zufall ${fixed(chance, 1)}`,
  colour: "Die Karte nach dem Alter färben",
  lists: { first: "Zuerst", last: "Zuletzt", lost: "Vergessen" },
  chart:
    "Punkte: Überraschung in Bit bei jedem gespeicherten Stand. Ein Klick auf die Mitte einer Kurve führt dorthin.",
  guessing: "reines Raten",
  learned: (step, low, high) =>
    `gelernt etwa bei Schritt ${count(step)} (${count(low)} bis ${count(high)})`,
  states: {
    before: "schon vor diesem Lauf gekonnt",
    unlearned: "nicht gelernt",
    unfitted: "kein klares Alter",
    rare: "zu selten für eine Kurve",
  },
  seeds:
    "In Lamptown verschiebt eine andere Startzahl die Hälfte der Alter um ein Drittel oder mehr.",
  early: "Welche Wörter kommen früh?",
  subject: {
    frequency: "Wörter, die zehnmal so oft gelesen werden,",
    length: "Wörter mit einem Buchstaben mehr",
    meanings: "Wörter mit zwei Bedeutungen",
  },
  effect: (subject, early, [times, least, most]) =>
    `${subject} werden ${small(times, 2)}-mal so ${early ? "früh" : "spät"} gelernt (zwischen ${small(least, 2)} und ${small(most, 2)}).`,
  nothing: {
    frequency: "Die Häufigkeit macht keinen klaren Unterschied.",
    length: "Die Länge macht keinen klaren Unterschied.",
    meanings: "Eine zweite Bedeutung macht keinen klaren Unterschied.",
    class: "Die Art des Wortes macht keinen klaren Unterschied.",
  },
  kind: (share, chance) =>
    `Die Art des Wortes erklärt weitere ${fine(share)} der Unterschiede; Zufall bis zu ${fine(chance)}.`,
  explained: (share, chance) =>
    `Zusammen erklären sie ${percent(share)} der Unterschiede im Alter; Zufall bis zu ${percent(chance)}.`,
};
