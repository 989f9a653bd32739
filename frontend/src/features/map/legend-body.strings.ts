/** Texts of the open legend: colours, trails and links. */

import type { ColourBy } from "../../model/view/view-options";
import { count, fixed, small } from "../../strings/numbers";
import { table } from "../../strings/translation";

const steps = (n: number) => (n === 1 ? "1 step" : `${count(n)} steps`);

/** Endings of the sentence "Each light is a word, coloured by". */
const colour: Record<ColourBy, string> = {
  family: "its family (hidden from the model)",
  class: "its kind (hidden from the model)",
  district: "the neighbourhood that the model put it in (a cluster of its space)",
  frequency: "how often it occurs in the text",
  age: "the step by which the model had learned it: its surprise had fallen halfway from random guessing to its lowest; faint words have no age",
  since: "how many steps ago it was last read",
  gradient:
    "how strongly the last step that read it wanted to change it (Euclidean norm of its gradient; before clipping if it was trained here)",
  moved: "how far its vector has moved in the space, not on the picture (Euclidean distance)",
  trust:
    "how reliable its place is: 1 if all its neighbours on this map are real, 0 if none is even close",
  aligned:
    "how far its vector is from the same word’s in the other run, after turning one space onto the other",
  raw: "how far its vector is from the same word’s in the other run, as both are",
  phase:
    "its place on the strongest circle of this map, once around the rainbow; neighbours on the circle have neighbouring colours",
  owner: "the process that owns and updates its row",
  neighbours: "how many of its ten nearest words are others in the other run",
};

const unknownMore: Partial<Record<ColourBy, string>> = {
  gradient: "not read in any step seen so far",
};

export const legendBody = table("legendBody", {
  about: (by: ColourBy) => `Each light is a word, coloured by ${colour[by]}.`,
  landmarks: (laid: number, trust: number, placed: number) =>
    `${count(laid)} are laid out (trust ${fixed(trust, 2)}), the dimmer ones placed beside them (${fixed(placed, 2)}).`,
  familyHint: "Click a family to ring its words and see its kinds.",
  hint: "Hover or click to highlight.",
  cycled: (tints: number, kinds: number) =>
    `${count(kinds)} kinds share ${count(tints)} colours: hover to see which is which.`,
  moved: (from: number, to: number) => `From step ${count(from)} to step ${count(to)}.`,
  waiting: "Looking it up…",
  ringed: (some: number, all: number) => `${count(some)} of its ${count(all)} words are ringed.`,
  ends: (by: ColourBy, least: number, greatest: number) =>
    `From ${value(by, least)} to ${value(by, greatest)}.`,
  unknownMore,

  over: "Over",
  overMore: "How many steps back distances and trails reach",
  overOf: (n: number) => (n === 0 ? "all steps" : `last ${steps(n)}`),
  trails: "Trails",
  trailsMore: "The paths of words on the map",
  trailsOf: { none: "none", chosen: "selected word", movers: "largest moves" },
  trailsSaid: (drawn: number, asked: number, from: number, to: number) =>
    `${drawn} of ${asked} moved on this map from step ${count(from)} to ${count(to)}. Square: start. Triangle: end.`,
  trailsNone: "Select a word to see its trail.",
  trailsStill: (from: number, to: number) =>
    `No vector moved from step ${count(from)} to ${count(to)}.`,
  trailsUmap: "On this map, places also shift when the words around them do.",
  trailsLinear: "In the linear view, only a vector that moved leaves a trail.",

  links: "Links",
  linksMore: "From the selected word to its nearest words",
  linksTo: { none: "none", space: "in the space", map: "on the map", both: "both" },
  shared: (shared: number, k: number) =>
    `${shared} of ${k} neighbours on the map are neighbours in the space.`,
  apart: (map: number, space: number) =>
    `The map is of step ${count(map)}, the space of step ${count(space)}.`,
  kinds: {
    space: "near in the space only",
    map: "near on the map only",
    both: "near in both",
  },
});

function value(by: ColourBy, of: number): string {
  switch (by) {
    case "since":
      return of === 0 ? "this step" : `${steps(of)} ago`;
    case "frequency":
      return of === 1 ? "once" : `${count(of)} times`;
    case "age":
      return `step ${count(of)}`;
    case "trust":
      return fixed(of, 2);
    default:
      return small(of);
  }
}
