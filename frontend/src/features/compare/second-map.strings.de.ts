/** German texts of the second map and its controls. */

import type { secondMap as english } from "./second-map.strings";
import { count, fixed } from "../../strings/numbers";
import type { Translated } from "../../strings/translation";

export const secondMap: Translated<typeof english> = {
  label:
    "Zweite Karte des Wortschatzes. Was auf einer Karte gewählt oder unter dem Zeiger ist, hat auf der anderen einen Ring.",
  kind: "Vergleichen mit",
  kinds: {
    view: "der anderen Ansicht",
    step: "einem anderen Schritt",
    matrix: "den Wörtern als Vorhersagen",
    run: "einem anderen Lauf",
  },
  step: "Schritt",
  view: "Ansicht",
  run: "Lauf",
  thisStep: "Diesen Schritt nehmen",
  together: "Gemeinsam bewegen",
  close: "Zurück zu einer Karte",
  waiting: "Die Wörter bekommen ihren Platz …",
  none: "Dieser Lauf hat keine Karte.",
  waitingView: "Diese Ansicht ist noch nicht fertig.",
  missing: "Das gewählte Wort gibt es in diesem Lauf nicht.",
  here: "Dieses Wort gibt es im Lauf der ersten Karte nicht.",
  overlap: (share, neighbours, own) =>
    `${Math.round(100 * share)}\u00a0% der ${count(neighbours)} nächsten Wörter sind dieselben${
      own === undefined
        ? ""
        : `, wie die erste Karte gezeichnet; allein ${Math.round(100 * own)}\u00a0%`
    }`,
  overlapMore: (looked, chance) =>
    `Das Mittel über ${count(looked)} Wörter, die beide haben. Durch Zufall ${fixed(100 * chance, 1)}\u00a0%.`,
  colours: (by) => `gefärbt nach: ${by}`,
};
