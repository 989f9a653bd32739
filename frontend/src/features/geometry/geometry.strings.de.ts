/** German texts of the geometry lab. */

import type { geometry as english } from "./geometry.strings";
import { count, decimal, fixed, small } from "../../strings/numbers";
import type { Translated } from "../../strings/translation";

const percent = (share: number | null | undefined) =>
  share === null || share === undefined ? "–" : `${decimal(+(100 * share).toPrecision(2))}\u00a0%`;
const place = (rank: number) => `${count(rank)}.`;

export const geometry: Translated<typeof english> = {
  tabs: "Ansichten des Geometrielabors",
  view: {
    analogy: "Analogie",
    relations: "Beziehungen",
    axis: "Richtung",
    pairs: "Paare",
  },
  atStep: (step) => `Bei Schritt ${count(step)}.`,
  choose: "Wähle ein Wort",
  hint: "Wort …",
  waiting: "Es wird gemessen …",
  withheld:
    "Diese Datei enthält keine Vektoren, mit denen das Labor rechnet. Öffne dafür den Lauf selbst.",
  filling: (filled, of) =>
    `${count(filled)} von ${count(of)} Schritten der Kurven sind bisher gemessen; der Rest kommt von selbst.`,
  noCurve: "Noch keine Kurve: Sie kommt, während der Lauf trainiert, oder kurz danach.",
  place,
  percent,
  analogy: {
    about:
      "Wörter sind Zeilen aus Zahlen, also kann man sie addieren und subtrahieren. Welche Wörter liegen der Summe am nächsten?",
    words: ["erstes Wort", "minus", "plus"],
    ruled: "Die drei gesperrt",
    whole: "Keines gesperrt",
    few: "Dieser Lauf hat zu wenige Wörter für eine Summe aus dreien.",
    said: (ruled, whole, given, stays, c, nearest) =>
      `Sind die drei Wörter gesperrt, kommt „${ruled}“ zuerst. Ist keines gesperrt, ist es „${whole}“${
        stays
          ? ", eines der drei: Die Summe hat sich kaum davon entfernt"
          : given
            ? ", eines der drei"
            : ""
      }. Ganz ohne Summe ist „${nearest}“ das Wort, das „${c}“ am nächsten liegt.`,
    chance: (chance) =>
      chance === null ? "" : `Blind geraten träfe man einmal in ${count(1 / chance)} Versuchen.`,
  },
  relations: {
    about:
      "In der Stadt sind Paare angelegt, wie dog und dogs. Jedes Paar fragt nach jedem anderen: Wie oft findet die Summe das richtige Wort?",
    none: "In diesem Lauf sind keine Wortpaare angelegt, also gibt es nichts zu werten.",
    columns: {
      name: "Beziehung",
      score: "richtig",
      without: "keines gesperrt",
      nearest: "nah bei c",
      kind: "Art stimmt",
      way: "ihre Paare",
      wayChance: "zufällige Paare",
    },
    way: "Zeigen ihre Paare in eine Richtung?",
    wayMore:
      "Der mittlere Kosinus zwischen den Wegen vom ersten zum zweiten Wort je zweier Paare: 1, wenn alle in dieselbe Richtung zeigen. Daneben: zufällige Paare derselben Arten.",
    more: {
      score:
        "Anteil der Fragen, die mit dem richtigen Wort beantwortet sind, die drei gegebenen Wörter gesperrt",
      without: "Dasselbe, wenn auch die drei gegebenen Wörter antworten dürfen",
      nearest:
        "Anteil, der richtig ist, wenn man ohne jede Summe das Wort nennt, das dem dritten am nächsten liegt",
      kind: "Anteil, der richtig ist, wenn man unter den Wörtern der richtigen Art rät",
    },
    said: (name, score, nearest, chance) =>
      `Am besten: ${name}, ${percent(score)} richtig. Ohne jede Summe wären es ${percent(nearest)}, durch reines Raten ${percent(chance)}.`,
    curve: "Richtige Antworten je Schritt",
    chance: "Zufall",
    meetings: "Geht es besser bei Paaren, die sich im Text oft begegnen?",
    meetingsAbout: (window, tokens) =>
      `Wie oft beide Wörter eines Paares höchstens ${count(window)} Wörter auseinander stehen, in ${count(tokens)} Wörtern des Textes; und wie viele der Fragen des Paares richtig sind.`,
    correlation: (value: number | null, deviation: number | null) =>
      value === null
        ? "Nichts zu vergleichen: Eines von beiden ist für alle Wörter gleich."
        : `Rangkorrelation ${fixed(value, 2)}; 1 ist vollkommen. Hätten beide nichts miteinander zu tun, wäre sie 0, plus oder minus ${small(deviation, 1)}.`,
    gone: "Der Text dieses Laufs ist nicht gespeichert, also lässt sich das nicht zählen.",
    met: (least, most) =>
      least === most ? `${count(least)}×` : `${count(least)} bis ${count(most)}×`,
  },
  axis: {
    about:
      "Zwei Enden ergeben eine Richtung. Jedes Wort hat eine Stelle darauf, und der Pfeil zeigt sie auf der Karte, die solche Geraden verbiegt.",
    from: "von",
    to: "nach",
    remove: (word) => `${word} entfernen`,
    same: "Beide Enden liegen an derselben Stelle, also gibt es keine Richtung.",
    few: "Dieser Lauf hat zu wenige Wörter für zwei Enden.",
    said: (length, spread, chance) =>
      `Die Enden liegen ${small(length)} auseinander. Die Wörter streuen auf dieser Geraden um ${small(spread, 2)}, auf einer zufälligen um ${small(chance, 2)}.`,
    strip: "Wörter entlang der Richtung",
    selected: "die Auswahl nehmen",
  },
  pairs: {
    about:
      "Ist jedes von zwei Wörtern unter den nächsten des anderen? Rang 1 ist das allernächste.",
    columns: {
      pair: "Paar",
      ofB: "zweites in der Liste des ersten",
      ofA: "erstes in der Liste des zweiten",
    },
    add: "Paar hinzufügen",
    first: "erstes Wort",
    second: "zweites Wort",
    chance: (rank, kind) =>
      `Ein zufälliges Wort wäre im Mittel auf Rang ${count(Math.round(rank))}${
        kind === null
          ? ""
          : `, und ein zufälliges Wort von der Art des ersten Paares bestenfalls auf Rang ${count(Math.round(kind))}`
      }.`,
    remove: (a, b) => `${a} und ${b} entfernen`,
    curve: "Der schlechtere der beiden Ränge je Schritt",
    line: (a, b) => `${a} / ${b}`,
    random: "ein zufälliges Wort",
    none: "Nenne zwei Wörter zum Vergleichen.",
  },
};
