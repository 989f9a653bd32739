/** German texts of the open legend: colours, trails and links. */

import type { ColourBy } from "../../model/view/view-options";
import type { legendBody as english } from "./legend-body.strings";
import { count, fixed, small } from "../../strings/numbers";
import type { Translated } from "../../strings/translation";

const steps = (n: number) => (n === 1 ? "1 Schritt" : `${count(n)} Schritte`);
const ago = (n: number) => (n === 1 ? "vor 1 Schritt" : `vor ${count(n)} Schritten`);

/** Endings of the sentence "Each light is a word, coloured by". */
const colour: Record<ColourBy, string> = {
  family: "seiner Familie (dem Modell verborgen)",
  class: "seiner Art (dem Modell verborgen)",
  district: "dem Viertel, in das das Modell es gelegt hat (eine Gruppe in seinem Raum)",
  frequency: "seiner Häufigkeit im Text",
  age: "dem Schritt, bei dem das Modell es gelernt hatte: Da war seine Überraschung den halben Weg vom reinen Raten zu ihrem tiefsten Stand gefallen; blasse Wörter haben kein Alter",
  since: "der Zahl der Schritte, seit es zuletzt gelesen wurde",
  gradient:
    "der Stärke, mit der der letzte Schritt, der es las, es ändern wollte (euklidische Norm seines Gradienten; vor dem Kappen, wenn es hier trainiert wurde)",
  moved:
    "der Weite, um die sich sein Vektor im Raum bewegt hat, nicht im Bild (euklidischer Abstand)",
  aligned:
    "wie weit sein Vektor von dem desselben Wortes im anderen Lauf entfernt ist, nachdem ein Raum auf den anderen gedreht wurde",
  raw: "wie weit sein Vektor von dem desselben Wortes im anderen Lauf entfernt ist, so wie beide sind",
  phase:
    "seinem Platz auf dem stärksten Kreis dieser Karte, einmal um den Regenbogen; Nachbarn auf dem Kreis haben benachbarte Farben",
  owner: "dem Prozess, dem seine Zeile gehört und der sie ändert",
  neighbours: "wie viele seiner zehn nächsten Wörter im anderen Lauf andere sind",
  trust:
    "der Verlässlichkeit seiner Stelle: 1, wenn alle Nachbarn auf dieser Karte echt sind, 0, wenn keiner es ist",
};

export const legendBody: Translated<typeof english> = {
  about: (by) => `Jedes Licht ist ein Wort, gefärbt nach ${colour[by]}.`,
  landmarks: (laid, trust, placed) =>
    `${count(laid)} sind ausgelegt (Verlässlichkeit ${fixed(trust, 2)}), die blasseren daneben gesetzt (${fixed(placed, 2)}).`,
  familyHint: "Klick auf eine Familie: für Ringe um ihre Wörter und ihre Arten.",
  hint: "Zeig darauf oder klick, um hervorzuheben.",
  cycled: (tints, kinds) =>
    `${count(kinds)} Arten teilen sich ${count(tints)} Farben: Zeig darauf, um zu sehen, welche welche ist.`,
  moved: (from, to) => `Von Schritt ${count(from)} bis Schritt ${count(to)}.`,
  waiting: "Es wird nachgesehen …",
  ringed: (some, all) => `${count(some)} seiner ${count(all)} Wörter haben einen Ring.`,
  ends: (by, least, greatest) => `Von ${value(by, least)} bis ${value(by, greatest)}.`,
  unknownMore: {
    gradient: "in den Schritten, die diese Seite gesehen hat, nicht gelesen",
  },

  over: "Über",
  overMore: "Wie viele Schritte Bewegungen und Spuren zurückreichen",
  overOf: (n) => (n === 0 ? "alle Schritte" : n === 1 ? "letzter Schritt" : `letzte ${steps(n)}`),
  trails: "Spuren",
  trailsMore: "Wohin Wörter auf der Karte gegangen sind",
  trailsOf: { none: "keine", chosen: "gewähltes Wort", movers: "am weitesten bewegte" },
  trailsSaid: (drawn, asked, from, to) =>
    `${drawn} von ${asked} haben sich auf dieser Karte bewegt, von Schritt ${count(from)} bis ${count(to)}: ein Quadrat, wo es anfing, ein Dreieck, wo es ist.`,
  trailsNone: "Wähle ein Wort, und seine Spur wird gezeichnet.",
  trailsStill: (from, to) =>
    `Von Schritt ${count(from)} bis ${count(to)} hat sich kein Vektor bewegt.`,
  trailsUmap: "Auf dieser Karte verschieben sich Stellen auch, wenn die Wörter ringsum es tun.",
  trailsLinear:
    "In der linearen Ansicht hinterlässt nur ein Vektor, der sich bewegt hat, eine Spur.",

  links: "Verbindungen",
  linksMore: "Vom gewählten Wort zu denen, die ihm am nächsten sind",
  linksTo: { none: "keine", space: "im Raum", map: "auf der Karte", both: "beide" },
  shared: (shared, k) => `${shared} von ${k} Nachbarn auf der Karte sind auch im Raum Nachbarn.`,
  apart: (map, space) =>
    `Die Karte ist von Schritt ${count(map)}, der Raum von Schritt ${count(space)}.`,
  kinds: {
    space: "nur im Raum nah",
    map: "nur auf der Karte nah",
    both: "in beiden nah",
  },
};

function value(by: ColourBy, of: number): string {
  switch (by) {
    case "since":
      return of === 0 ? "diesem Schritt" : ago(of);
    case "frequency":
      return of === 1 ? "einmal" : `${count(of)}-mal`;
    case "age":
      return `Schritt ${count(of)}`;
    case "trust":
      return fixed(of, 2);
    default:
      return small(of);
  }
}
