/** German texts of a set. */

import type { sets as english } from "./sets.strings";
import { count } from "../../strings/numbers";
import { percent } from "../../strings/shares";
import type { Translated } from "../../strings/translation";

const fields: Record<string, string> = {
  seed: "Startzahl",
  "model.dim": "Breite",
  "model.layers": "Schichten",
  "model.tied": "eine Matrix für beides",
};

export const sets: Translated<typeof english> = {
  title: (members) => `Ein Rezept, ${count(members)} Läufe`,
  more: "Was alle zeigen, ist wohl kein Zufall; worin sie sich unterscheiden, entscheidet der Zufall.",
  moreGroups: "Nicht nur die Startzahl ist verschieden. Aussagen und Wörter für",
  close: "Zurück zur Karte",
  loading: "Die Läufe werden gelesen",
  none: "Dieser Lauf steht allein",
  noneMore:
    "Was ein Lauf zeigt, kann Zufall sein. Trainiere dasselbe Rezept mit zehn Startzahlen, dann steht hier, was in allen stimmt.",
  noneFork: "Das ist ein Abzweig. Öffne den Lauf, von dem er kommt.",
  fields,
  grid: (field, values) => `${field} ${values}`,
  range: (first, last) => `${first} bis ${last}`,
  done: (finished, of) =>
    finished === of
      ? `alle ${count(of)} sind fertig`
      : `${count(finished)} von ${count(of)} sind fertig`,
  sweeping: "das Training läuft",
  failed: (members) =>
    members === 1 ? "1 Lauf ist gescheitert" : `${count(members)} Läufe sind gescheitert`,
  curves: "So haben sie gelernt",
  curve: "Kurve",
  curveNames: {
    loss: "Verlust auf dem gelesenen Text",
    loss_held_out: "Verlust auf zurückbehaltenem Text",
  },
  curvesMore: (least, most, few) =>
    `Eine Linie ist der Median von ${least === most ? "" : `${count(least)} bis `}${count(most)} Läufen${
      few
        ? "; für ein Band sind es zu wenige: Jede dünne Linie ist einer davon."
        : ". Im dunklen Band liegt die mittlere Hälfte, im hellen liegen acht von zehn."
    }`,
  lines: "Jeden Lauf zeigen",
  ends: (name, median, low, high) =>
    `${name}: am Ende Median ${median}, acht von zehn zwischen ${low} und ${high}`,
  median: "Median",
  noCurves: "Kein Lauf hat bisher Zahlen.",
  claims: "Stimmt das, jedes Mal?",
  claimsMore:
    "Jedes Zeichen ist ein fertiger Lauf. Drück darauf für mehr. Unter jeder Zahl: wo der Anteil aller Startzahlen liegt, in 95 von 100 Fällen.",
  holdsIn: (holds, of, unmeasured) =>
    `stimmt in ${count(holds)} von ${count(of)}${unmeasured ? `, ${count(unmeasured)} nicht gemessen` : ""}`,
  interval: (low, high) => `${percent(low)} bis ${percent(high)}`,
  claimOf: (run, state) => `${run}: ${state}`,
  waiting: (members) => `Noch nicht fertig: ${count(members)}.`,
  lost: (members) => `Fehlen, nicht lesbar oder zu viele: ${count(members)}.`,
  word: (members) => `Ein Wort, ${count(members)} Städte`,
  wordField: "Wort",
  show: "Zeigen",
  same: (word, same, k, members) =>
    `${count(same)} der ${count(k)} nächsten Wörter von „${word}“ ${same === 1 ? "ist" : "sind"} in allen ${count(members)} Läufen dabei.`,
  shared: (jaccard, chance, typical) =>
    [
      `Je zwei Läufe teilen im Mittel ${percent(jaccard)} ihrer Wörter`,
      chance === null ? "" : `; der Zufall ergäbe ${percent(chance)}`,
      typical === null ? "." : `. Bei einem gewöhnlichen Wort sind es ${percent(typical)}.`,
    ].join(""),
  at: (step, leftOut) =>
    `Bei Schritt ${count(step)}.${leftOut ? ` Nicht dabei: ${count(leftOut)}.` : ""}`,
  wordMore:
    "Die Karten sind passend gedreht, gespiegelt und gestreckt. Farbige Namen sind in jeder Stadt Nachbarn.",
  noMap: "noch keine Karte",
  openCity: (run) => `${run} öffnen`,
  spread: "Beziehungen und Wörter mit zwei Bedeutungen",
  spreadMore:
    "Jeder Punkt ist ein Lauf, der Strich ihr Median. Gestrichelt: was der Zufall ergibt.",
  relation: (name) => `${name}: richtige Antworten`,
  homonym: (word, first, second) => `${word}: ${first} oder ${second}?`,
  lean: (first, second, lean) => (Math.abs(lean) < 0.15 ? "beides" : lean > 0 ? first : second),
  neither: "keins von beiden",
  strip: (name, median, low, high) => `${name}: Median ${median}, von ${low} bis ${high}`,
  noSpread: "In diesem Text ist nichts angelegt.",
  states: {
    holds: "stimmt",
    conditional: "mit Einschränkungen",
    failing: "stimmt nicht",
    unmeasured: "noch nicht gemessen",
  },
};
