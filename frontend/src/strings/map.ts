/** Texts of the map panel and of the list of districts. */

import { count } from "./numbers";

export const map = {
  districts: {
    doubtful: "Mark doubtful places",
    doubtfulMore: "Puts a cross on tokens that are shown where they do not belong.",
    unknown: "How far each token belongs where it is shown is not known yet.",
    said: (doubtful: number, all: number) =>
      `${count(doubtful)} of ${count(all)} tokens (${Math.round((100 * doubtful) / Math.max(1, all))} %) are crossed: hardly any of what lies around them on this map is near them in the space.`,
    title: "Districts",
    none: "Nobody has looked for districts in this run.",
    noneYet: (step: number) =>
      `At step ${count(step)} there are none: no tokens lie close enough together in the space.`,
    about: (districts: number, step: number) =>
      `${count(districts)} ${districts === 1 ? "cluster" : "clusters"} of the space, not of the picture, at step ${count(step)}. A click on a name rings its tokens.`,
    more: (tokens: number) => `and ${count(tokens)} more`,
    look: "Look at it on the map",
  },
  mapPanel: {
    drawing: "Drawing",
    about:
      "How the map is drawn. A change takes effect while it runs: the tokens flow to their new places. It changes the picture, never what is learned.",
    viewer: "Only the presenter can change the map (open Lamplighter by its launch link).",
    method: "Drawn by",
    methods: {
      umap: ["living UMAP", "One UMAP layout that stays alive while the space under it moves."],
      refit: [
        "UMAP, fitted anew",
        "A fit from scratch each time, laid over the last picture: slower, and it jumps.",
      ],
      pca: ["PCA", "The two directions in which the tokens differ most, chosen for each picture."],
    } satisfies Record<"umap" | "refit" | "pca", [string, string]>,
    neighbours: "Neighbours",
    neighboursMore: "How many nearest tokens count for each: few make islands, many make one land.",
    minDist: "Least distance",
    minDistMore: "How close together tokens may lie: small makes heaps, large makes streets.",
    spread: "Spread",
    spreadMore: "How far out a neighbourhood reaches; never below the least distance.",
    apply: "Apply",
    applied: "The map is drawn so.",
    asked: "Asked for: the map is on its way there.",
    made: (method: string, neighbours: number, minDist: number, spread: number) =>
      `Drawn by ${method} with ${count(neighbours)} neighbours, least distance ${minDist}, spread ${spread}.`,
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
} as const;
