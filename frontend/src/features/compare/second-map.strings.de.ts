/** German texts of the second map and its controls. */

import type { secondMap as english } from "./second-map.strings";
import { count, fixed } from "../../strings/numbers";
import type { Translated } from "../../strings/translation";

export const secondMap: Translated<typeof english> = {
  label:
    "Zweite Karte des Wortschatzes. Was auf einer Karte gewählt, umringt oder unter dem Zeiger ist, hat auf der anderen einen Ring.",
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
  thisStepMore: "Zeigt hier den Schritt der anderen Karte und behält ihn bei",
  together: "Gemeinsam bewegen",
  togetherMore: "Beide Karten zeigen denselben Ausschnitt: Wird eine bewegt, folgt die andere",
  close: "Zurück zu einer Karte",
  waiting: "Die Wörter bekommen ihren Platz …",
  none: "Dieser Lauf hat keine Karte.",
  runName: (id) => id.replace(/^(\d{4}-\d\d-\d\d)-(.+)$/, "$2 · $1"),
  different: (common) =>
    `Diese Läufe haben verschiedene Wörter (${count(common)} stehen in beiden), darum werden ihre Nachbarn nicht verglichen.`,
  waitingView: "Diese Ansicht ist noch nicht fertig.",
  missing: "Das gewählte Wort gibt es in diesem Lauf nicht.",
  here: "Dieses Wort gibt es im Lauf der ersten Karte nicht.",
  overlap: (share, neighbours) =>
    `${Math.round(100 * share)}\u00a0% der ${count(neighbours)} nächsten Wörter sind dieselben`,
  overlapMore: (share, neighbours, looked, tokens, chance) =>
    `Von den ${count(neighbours)} nächsten eines Wortes auf der einen Karte sind ${fixed(100 * share, 1)}\u00a0% unter seinen ${count(neighbours)} nächsten auf der anderen: das Mittel über ${
      looked < tokens ? `eine Stichprobe von ${count(looked)} der ` : ""
    }${count(tokens)} Wörter, die beide haben. Durch Zufall wären es ${fixed(100 * chance, 1)}\u00a0%.`,
  colours: (by) => `gefärbt nach: ${by}`,
  coloursMore:
    "Die Farben der ersten Karte sagen etwas über ihren Schritt und ihren Lauf; was sie hier wären, ist nicht bekannt.",
};
