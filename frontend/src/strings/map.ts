/** Texts of the map panel and of the list of districts. */

import { count } from "./numbers";
import { table } from "./translation";

export const map = table("map", {
  districts: {
    own: "Name each after its own words",
    ownMore:
      "Most names are those of the kinds planted in the text. This uses each neighbourhood’s most common words instead.",
    doubtful: "Mark misplaced words",
    doubtfulMore: "Crosses out words the map has put in the wrong place.",
    unknown: "Not measured yet: which words are in the wrong place.",
    said: (doubtful: number, all: number) =>
      `${count(doubtful)} of ${count(all)} words (${Math.round((100 * doubtful) / Math.max(1, all))}\u00a0%) are crossed out: few of their neighbours on this map are real.`,
  },
  mapPanel: {
    drawing: "How the map is drawn",
    made: (neighbours: number, minDist: number, spread: number) =>
      `Drawn by UMAP, updated continuously, with ${count(neighbours)} neighbours, minimum spacing ${minDist}, spread ${spread}.`,
    again: "For replays",
    againMore:
      "The map of a finished run is drawn again from all its steps together, so that words stay near their places from step to step. This starts automatically when the computer is free. The live map stays available.",
    byItself: "The computer is free, so the replay is being smoothed.",
    begin: "Smooth the replay",
    cancel: "Cancel",
    running: "is being smoothed",
    notOver: "Available once this run is over.",
    cancelled: "Cancelled; nothing changed.",
    anew: (steps: number, last: number) => `Done: ${count(steps)} maps, up to step ${count(last)}.`,
    set: "Map in replays",
    sets: { live: "live", again: "smoothed" },
    linear: (step: number) =>
      `The directions of the linear view were chosen at step ${count(step)}.`,
  },
} as const);
