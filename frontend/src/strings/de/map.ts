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
    doubtfulMore: "Setzt ein Kreuz auf Wörter, die die Karte zeigt, wo sie nicht hingehören.",
    unknown: "Wie verlässlich jede Stelle ist, wurde noch nicht gemessen.",
    said: (doubtful, all) =>
      `${count(doubtful)} von ${count(all)} Wörtern (${Math.round((100 * doubtful) / Math.max(1, all))}\u00a0%) haben ein Kreuz: Von den Wörtern ringsum auf dieser Karte ist kaum eines ihr echter Nachbar.`,
  },
  mapPanel: {
    drawing: "Wie die Karte gezeichnet wird",
    methods: {
      umap: "UMAP, fortlaufend",
      refit: "UMAP, jedes Mal neu",
      pca: "PCA",
    },
    made: (method, neighbours, minDist, spread) =>
      `Gezeichnet mit ${method}, ${count(neighbours)} Nachbarn, Mindestabstand ${decimal(minDist)}, Ausdehnung ${decimal(spread)}.`,
    madePlain: (method) => `Gezeichnet mit ${method}.`,
    again: "Für die Wiedergabe",
    againMore:
      "Ein fertiger Lauf wird noch einmal ausgelegt, alle Schritte zusammen, so dass jedes Wort von Schritt zu Schritt nahe bei seiner Stelle bleibt. Das geschieht von selbst, wenn sonst nichts los ist. Die Karte, wie sie live war, bleibt erhalten.",
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
      `Die lineare Ansicht blickt entlang von Richtungen, die aus dem Raum bei Schritt ${count(step)} gewählt sind.`,
  },
};
