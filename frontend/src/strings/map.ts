/** Texts of the map panel and of the list of districts. */

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
    drawing: "Drawing",
    about:
      "How the map is drawn. A change takes effect while it runs: the words flow to their new places. It changes the picture, never what is learned.",
    viewer: "Only the presenter can change the map (open Lamplighter by its launch link).",
    method: "Drawn by",
    methods: {
      umap: [
        "UMAP, updated continuously",
        "One UMAP layout that goes on moving as the space under it moves.",
      ],
      refit: [
        "UMAP, refitted each time",
        "A fit from scratch each time, laid over the last picture: slower, and it jumps.",
      ],
      pca: ["PCA", "The two directions in which the words differ most, chosen for each picture."],
    } satisfies Record<"umap" | "refit" | "pca", [string, string]>,
    neighbours: "Neighbours",
    neighboursMore: "How many nearest words count for each: few make islands, many make one land.",
    minDist: "Minimum spacing",
    minDistMore:
      "How close together words may lie: small makes tight clumps, large spreads them out.",
    spread: "Spread",
    spreadMore: "How far out a neighbourhood reaches; never below the minimum spacing.",
    apply: "Apply",
    applied: "Applied.",
    asked: "The map is on its way there.",
    made: (method: string, neighbours: number, minDist: number, spread: number) =>
      `Drawn by ${method} with ${count(neighbours)} neighbours, minimum spacing ${minDist}, spread ${spread}.`,
    madePlain: (method: string) => `Drawn by ${method}.`,
    now: "The picture now",
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
