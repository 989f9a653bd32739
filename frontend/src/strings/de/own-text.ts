/** German texts about a text of one's own. */

import { approximately, count } from "../numbers";
import type { ownText as english } from "../own-text";
import type { Translated } from "../translation";

export const ownText: Translated<typeof english> = {
  paste: "Füge hier einen Text ein",
  choose: "Datei wählen",
  drop: "… oder zieh eine Datei hierher. Reiner Text (UTF-8), bis 64 MB. Er bleibt auf diesem Server.",
  other: "Einen anderen Text nehmen",
  counting: "Seine Wörter werden gezählt …",
  nothing: "Füge erst einen Text ein oder wähle eine Datei.",
  words: ({ words, different, exact }) =>
    exact
      ? `${count(words)} Wörter, ${count(different)} verschiedene.`
      : `Etwa ${approximately(words)} Wörter.`,
  suits: ({ vocabulary, steps }) =>
    `${count(vocabulary - 1)} davon kommen oft genug vor, um einen Platz auf der Karte zu finden. ${count(steps)} Schritte passen zu diesem Text.`,
  expect: {
    by_heart:
      "Das ist zu kurz für Viertel: Das Modell wird es auswendig lernen. Für einige braucht es etwa 30.000 Wörter, für deutliche 200.000.",
    some: "Erwarte ein paar Viertel. Mit etwa 200.000 Wörtern werden sie deutlich.",
    clear: "Lang genug für deutliche Viertel.",
  },
  tooShort: ({ words }) => {
    const many = words === 1 ? "1 Wort" : `${count(words)} Wörter`;
    return `Dieser Text hat ${many}. 1.000 sind nötig; deutliche Viertel brauchen etwa 200.000.`;
  },
  byHeart: (times) =>
    `Mit so vielen Schritten liest es den ganzen Text ${count(times)}-mal und lernt ihn auswendig; seine Viertel zerfallen dann wieder.`,
};
