/** Texts of the map panel and of the list of districts. */

import type { MapRecipe } from "../api/rest-types";
import { count } from "./numbers";
import { table } from "./translation";

export const map = table("map", {
  districts: {
    own: "Name by their own words",
    ownMore:
      "Most names are those of the kinds that we planted in the text. This names each neighbourhood after its most common words.",
    doubtful: "Mark misplaced words",
    doubtfulMore: "Puts a cross on words that the map shows where they do not belong.",
    unknown: "How reliable each place is has not been measured yet.",
    said: (doubtful: number, all: number) =>
      `${count(doubtful)} of ${count(all)} words (${Math.round((100 * doubtful) / Math.max(1, all))} %) are crossed: hardly any of the words around them on this map are their true neighbours.`,
  },
  mapPanel: {
    drawing: "How the map is drawn",
    methods: {
      umap: "UMAP, updated continuously",
      refit: "UMAP, refitted each time",
      pca: "PCA",
    } satisfies Record<MapRecipe["method"], string>,
    made: (method: string, neighbours: number, minDist: number, spread: number) =>
      `Drawn by ${method} with ${count(neighbours)} neighbours, minimum spacing ${minDist}, spread ${spread}.`,
    madePlain: (method: string) => `Drawn by ${method}.`,
    again: "For replay",
    againMore:
      "A finished run is laid out once more, all its steps together, so that every word stays near its place from step to step. This happens by itself when nothing else is going on. The map as it was live is kept.",
    byItself: "Nobody needs the machine now, so the replay is being smoothed.",
    begin: "Smooth the replay",
    cancel: "Cancel",
    running: "is being smoothed",
    notOver: "Once this run is over.",
    cancelled: "Cancelled; nothing was changed.",
    anew: (steps: number, last: number) => `Done: ${count(steps)} maps, up to step ${count(last)}.`,
    set: "The replay shows the map",
    sets: { live: "as it was live", again: "smoothed" },
    linear: (step: number) =>
      `The linear view looks along directions chosen from the space at step ${count(step)}.`,
  },
} as const);
