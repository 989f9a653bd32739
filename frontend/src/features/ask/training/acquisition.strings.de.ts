/** German texts of the experiment about when each word was learned. */

import type { acquisition as english, Predictor } from "./acquisition.strings";
import { count, fixed, small } from "../../../strings/numbers";
import { fine, percent } from "../../../strings/shares";
import type { Translated } from "../../../strings/translation";

type Quantity = Exclude<Predictor["name"], "class">;

const SUBJECT: Record<Quantity, string> = {
  frequency: "Wörter, die zehnmal so oft gelesen werden, sind",
  length: "Wörter mit einem Buchstaben mehr sind",
  meanings: "Wörter mit zwei Bedeutungen sind",
};
const NOTHING: Record<Quantity, string> = {
  frequency: "Wie oft ein Wort gelesen wird, sagt nichts",
  length: "Seine Länge sagt nichts weiter",
  meanings: "Zwei Bedeutungen zu haben sagt nichts weiter",
};
const times = (slope: number) => small(10 ** Math.abs(slope), 2);

export const acquisition: Translated<typeof english> = {
  empty:
    "Wie überrascht ist das Modell von einem Wort, und ab welchem Schritt weniger? Bei jedem gespeicherten Stand liest es Text, mit dem es nicht trainiert wurde. Wo die Überraschung eines Wortes vom reinen Raten bis zu ihrem tiefsten Stand halb gefallen ist, gilt das Wort als gelernt.",
  summary: (learned, words, middle) =>
    `${count(learned)} von ${count(words)} Wörtern wurden gelernt, die Hälfte davon bis Schritt ${count(middle)}.`,
  none: (words) => `Keines von ${count(words)} Wörtern hat schon ein klares Alter.`,
  chance:
    "Durch Zufall wäre es keines: Ein Wort zählt erst, wenn es sicher doppelt so wahrscheinlich ist, wie seine Häufigkeit es macht.",
  rest: (unlearned, unfitted, before) =>
    [
      unlearned ? `Nicht gelernt: ${count(unlearned)}.` : "",
      unfitted ? `Ohne klares Alter: ${count(unfitted)}.` : "",
      before ? `Schon vor diesem Lauf gekonnt: ${count(before)}.` : "",
    ].join(" "),
  rare: (rare, more, least) =>
    `Keine Kurve für ${count(rare + more)} Wörter: ${count(rare)} kommen in jenem Text weniger als ${least}-mal vor${more ? ", die anderen sind über der Grenze" : ""}.`,
  forgotten: (words, chance) =>
    `Wieder vergessen: ${count(words)}; durch Zufall wären es ${fixed(chance, 1)}.`,
  colour: "Die Karte danach färben",
  first: "Zuerst",
  last: "Zuletzt",
  lost: "Vergessen",
  add: "Ein Wort dazu",
  noCurve: (word) => `${word}: in jenem Text zu selten für eine Kurve.`,
  chart:
    "Punkte: Überraschung in Bit, bei jedem gespeicherten Stand. Linie: die Kurve, die am besten passt. Balken: wo ihre Mitte liegt; ein Klick führt dorthin.",
  guessing: "reines Raten",
  picture: (words) => `Überraschung nach Schritten: ${words}`,
  learned: (step, low, high) =>
    `gelernt bis etwa Schritt ${count(step)} (${count(low)} bis ${count(high)})`,
  go: (word, step) => `${word}: zu Schritt ${count(step)}`,
  states: {
    before: "schon vor diesem Lauf gekonnt",
    unlearned: "nicht gelernt",
    unfitted: "kein klares Alter",
  },
  lostAgain: (bits) => `dann vergessen: ${fixed(bits, 1)} Bit mehr Überraschung`,
  seeds:
    "Mit einer anderen Startzahl verschiebt sich die Hälfte der Wörter von Lamptown um ein Drittel oder mehr.",
  early: "Welche Wörter kommen früh?",
  predictor: ({ name, slope, low, high, share, chance }) => {
    if (name === "class" || slope === null || low === null || high === null)
      return share > chance
        ? `Die Art des Wortes erklärt allein ${fine(share)} der Unterschiede; Zufall bis zu ${fine(chance)}.`
        : "Seine Art sagt nichts weiter.";
    if (low <= 0 && high >= 0) return `${NOTHING[name]}.`;
    const [least, most] = slope < 0 ? [high, low] : [low, high];
    return `${SUBJECT[name]} ${times(slope)}-mal so ${slope < 0 ? "früh" : "spät"} gelernt (zwischen ${times(least)} und ${times(most)}).`;
  },
  explained: (share, chance) =>
    `Zusammen erklären sie ${percent(share)} der Unterschiede zwischen den Altern. Sind die Alter zufällig verteilt: bis zu ${percent(chance)}.`,
};
