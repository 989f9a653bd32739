/** German texts of the panel about how two runs differ. */

import { count, fixed, small } from "../../strings/numbers";
import type { Translated } from "../../strings/translation";
import type { difference as english } from "./difference.strings";

const words = (n: number) => (n === 1 ? "1 Wort" : `${count(n)} Wörter`);

export const difference: Translated<typeof english> = {
  with: "Vergleichen mit",
  about:
    "Zwei Trainings nebeneinander: welche Wörter gleich sind bis aufs letzte Bit und welche sich auseinanderbewegt haben.",
  choose: "Wähle einen Lauf",
  both: "Beide Karten zeigen",
  alone:
    "Noch gibt es keinen anderen Lauf zum Vergleichen. „Was wäre, wenn …“ neben der Zeitleiste macht einen.",
  still: "Ein Lauf ohne Training hat keine Schritte zum Vergleichen.",
  file: "Diese Datei enthält einen Lauf. In Lamplighter lässt er sich mit anderen vergleichen.",
  waiting: "Es wird verglichen …",
  begins: "Der Unterschied erscheint mit seinem ersten Schritt.",
  here: "dieser Lauf",
  there: "der andere",
  fork: (name, step, changes) => `Dieser Lauf ist ${name} ab Schritt ${count(step)}: ${changes}.`,
  parent: (name, step, changes) => `${name} ist dieser Lauf ab Schritt ${count(step)}: ${changes}.`,
  siblings: (name, here, there) =>
    `Beide zweigen von ${name} ab. Bei diesem: ${here}; beim anderen: ${there}.`,
  none: "Keiner dieser Läufe kommt vom anderen. Wörter werden nach der Schreibung verglichen, Schritte nach der Nummer.",
  same: "Das sind zwei Schritte eines Laufs.",
  steps: (here, there) =>
    `Schritt ${count(here)} dieses Laufs, Schritt ${count(there)} des anderen.`,
  moved: {
    run_ends: "Dieser Lauf hat keinen späteren Schritt.",
    other_ends: "Der andere Lauf hat keinen späteren Schritt.",
    before_first: "Vor diesem Schritt gab es einen von beiden noch nicht.",
    not_kept: "Es ist der nächste Schritt, den beide noch haben.",
    other_held:
      "Der andere Lauf endet, wo dieser beginnt. Darum wird mit seinem letzten Stand verglichen: Die Unterschiede sind das, was die eigenen Schritte dieses Laufs verändert haben.",
    run_held:
      "Dieser Lauf endet, wo der andere beginnt. Darum wird sein letzter Stand verglichen: Die Unterschiede sind das, was die eigenen Schritte des anderen verändert haben.",
  },
  twin: "Einen Zwilling des anderen so weit trainieren",
  equal: (compared) =>
    `Gleich bis aufs letzte Bit, in allen ${count(compared)} Schritten, die beide haben.`,
  equalSoFar: (compared) =>
    `Gleich bis aufs letzte Bit in den ersten ${count(compared)} Schritten.`,
  first: (step, from, shared) => {
    if (step <= 1) return "Sie unterscheiden sich vom ersten Schritt an.";
    if (from <= shared + 1)
      return `Gleich bis aufs letzte Bit bis Schritt ${count(step)}: der ist anders.`;
    return `Beide haben zuerst Schritt ${count(from)}. Ab Schritt ${count(step)} unterscheiden sie sich.`;
  },
  surprise: "Überraschung",
  surpriseMore: "Verlust in Nats je Wort; weniger ist besser.",
  batch: "dieser Schritt",
  recent: (batches) => `letzte Schritte (Mittel aus ${batches})`,
  heldOut: (step) => `zurückbehaltener Text, bei Schritt ${count(step)}`,
  change: "Unterschied",
  luck: "± sagt, wie weit der Zufall der Batches ihn verschiebt (Standardfehler, Batch für Batch). Was kleiner ist als das Doppelte, kann Zufall sein; mehr verraten nur andere Startzahlen.",
  apart: "Wie weit auseinander",
  asleep: (equal, shared) =>
    equal === shared
      ? `Alle ${words(shared)} sind gleich bis aufs letzte Bit.`
      : equal
        ? `${words(equal)} von ${count(shared)} ${equal === 1 ? "ist" : "sind"} gleich bis aufs letzte Bit und ${equal === 1 ? "schläft" : "schlafen"} auf der Karte.`
        : `Keins der ${words(shared)} ist gleich bis aufs letzte Bit.`,
  half: (median, length) =>
    `Die Hälfte liegt weniger als ${small(median)} auseinander; ein Vektor ist etwa ${small(length)} lang.`,
  fitted: (fitted) =>
    `Nachdem ein Raum auf den anderen gedreht wurde, nach seinen ${count(fitted)} häufigsten gemeinsamen Wörtern (orthogonaler Prokrustes).`,
  chance: (distance) => `durch Zufall ${small(distance)}`,
  earlier: (distance, step) =>
    `dieser Lauf bewegte sich ${small(distance)} seit Schritt ${count(step)}`,
  kept: (kept, k, chance) =>
    `Von den ${count(k)} nächsten Wörtern eines Wortes sind ${fixed(kept, 1)} dieselben${
      chance === null ? "" : `; durch Zufall wären es ${fixed(chance, 2)}`
    }.`,
  sampled: (asked) => `Gemessen an ${words(asked)}.`,
  order: "Gewonnene Ordnung",
  purity: "Nachbarn derselben Art",
  information: "Bit über die Art",
  ofChance: (chance) => `(Zufall ${fixed(chance, 2)})`,
  said: "Was jeder sagt",
  most: "Wörter, die sich am meisten verändert haben",
  mostMore: "Klicke auf eins, um es auf beiden Karten zu sehen.",
  by: "nach",
  byOf: {
    aligned: "Abstand",
    raw: "Abstand, ohne einen Raum zu drehen",
    neighbours: "Nachbarn, die andere sind",
  },
  noWords: "Kein Wort ist verschieden.",
  unmeasured: "Nicht gemessen bei langen oder verschieden langen Vektoren. Wähle die Nachbarn.",
  onlyHere: "Nur hier nah:",
  onlyThere: "Nur dort nah:",
  sameNeighbours: "Seine nächsten Wörter sind in beiden dieselben.",
  greater: (by) => (by > 0 ? `+${fixed(by, 3)}` : fixed(by, 3)),
  more: (words) => `${count(words)} weitere`,
  lost: (lost) => `${count(lost)} neue`,
};
