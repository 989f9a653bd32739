/** German texts of the map panel and of the list of districts. */

import type { map as english } from "../map";
import { count, decimal } from "../numbers";
import type { Translated } from "../translation";

export const map: Translated<typeof english> = {
  districts: {
    own: "Nach ihren eigenen Wörtern nennen",
    ownMore:
      "Die meisten Namen sind die der Arten, die wir im Text angelegt haben. So heißt jedes Viertel nach seinen häufigsten Wörtern.",
    doubtful: "Falsch liegende Wörter markieren",
    doubtfulMore: "Setzt ein Kreuz auf Wörter am falschen Ort der Karte.",
    unknown: "Wie verlässlich jede Stelle ist, wurde noch nicht gemessen.",
    said: (doubtful, all) =>
      `${count(doubtful)} von ${count(all)} Wörtern (${Math.round((100 * doubtful) / Math.max(1, all))}\u00a0%) haben ein Kreuz: Wenige ihrer Nachbarn auf dieser Karte sind echt.`,
  },
  mapPanel: {
    drawing: "Wie die Karte gezeichnet wird",
    made: (neighbours, minDist, spread) =>
      `Gezeichnet mit UMAP, fortlaufend, mit ${count(neighbours)} Nachbarn, Mindestabstand ${decimal(minDist)}, Ausdehnung ${decimal(spread)}.`,
    again: "Für die Wiedergabe",
    againMore:
      "Ein fertiger Lauf wird noch einmal ausgelegt, alle Schritte zusammen, so dass jedes Wort nahe bei seiner Stelle bleibt. Das geschieht von selbst, wenn der Computer Zeit hat. Die Karte, wie sie live war, bleibt.",
    byItself: "Gerade braucht niemand den Computer, also wird die Wiedergabe geglättet.",
    begin: "Wiedergabe glätten",
    cancel: "Abbrechen",
    running: "wird geglättet",
    notOver: "Sobald dieser Lauf zu Ende ist.",
    cancelled: "Abgebrochen; nichts wurde geändert.",
    anew: (steps, last) => `Fertig: ${count(steps)} Karten, bis Schritt ${count(last)}.`,
    set: "Die Wiedergabe zeigt die Karte",
    sets: { live: "wie sie live war", again: "geglättet" },
    linear: (step) =>
      `Die Richtungen der linearen Ansicht sind bei Schritt ${count(step)} gewählt.`,
  },
};
