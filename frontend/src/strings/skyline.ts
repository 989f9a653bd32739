/** Texts of the skyline. */

import type { HeightMeasure } from "../model/view-options";
import { count } from "./numbers";

interface HeightWords {
  name: string;
  axis: string;
  /** Ending of the sentence "its height is ...". */
  is: string;
  unit: string;
}

export const skyline = {
  skyline: {
    name: "skyline",
    more: "The same map in three dimensions: how high a token stands says a number of it (3)",
    label: (height: string, names: string) =>
      `Skyline of the vocabulary: the height of a column is ${height}. Drag or use the arrow keys to turn it, + and − to come closer, click a column to look at its token.${names && ` The highest: ${names}.`}`,
    height: "Height",
    heights: {
      touches: {
        name: "times lit",
        axis: "times lit (batches)",
        is: "the number of batches its row was in so far",
        unit: "batches",
      },
      since: {
        name: "steps since lit",
        axis: "steps since last lit",
        is: "the number of steps since its row was last in a batch: high ones sleep long",
        unit: "steps",
      },
      gradient: {
        name: "gradient norm",
        axis: "gradient norm when last lit",
        is: "the Euclidean norm of its row's gradient, before clipping, the last time it was lit while this page looked",
        unit: "gradient norm",
      },
      norm: {
        name: "row norm",
        axis: "length of its row (Euclidean norm)",
        is: "the length (Euclidean norm) of its row in the space",
        unit: "length of its row",
      },
      moved: {
        name: "distance moved",
        axis: "distance moved in the space",
        is: "the Euclidean distance its row has come in the space",
        unit: "distance moved",
      },
      trust: {
        name: "trust of its place",
        axis: "trust of its place (0 to 1)",
        is: "how far its surroundings on the map can be trusted, from 0 to 1",
        unit: "trust",
      },
      frequency: {
        name: "frequency",
        axis: "times in the corpus",
        is: "how often it stands in the corpus",
        unit: "times in the corpus",
      },
    } satisfies Record<HeightMeasure, HeightWords>,
    about: (is: string, logarithmic: boolean) =>
      `Each column stands where its token lies on the map; its height is ${is}${logarithmic ? ", on a logarithmic scale" : ""}.`,
    atStep: (step: number) => `Step ${count(step)}.`,
    between: (from: number, step: number) => `From step ${count(from)} to ${count(step)}.`,
    bound: "Some are upper bounds: steps this page missed were counted together.",
    most: (columns: number, all: number) =>
      `The ${count(columns)} most frequent of ${count(all)} tokens.`,
    every: (all: number) => `All ${count(all)} tokens.`,
    unknown: (tokens: number) =>
      tokens === 1
        ? "Of one it is not known: a hollow point on the ground."
        : `Of ${count(tokens)} it is not known: hollow points on the ground.`,
    none: "Of no token is it known yet.",
    waiting: "The skyline is being drawn.",
    noMap: "There is no map yet to stand it on.",
    noWebGL:
      "This browser draws nothing in three dimensions (it has no WebGL): here is the flat map instead.",
    highest: "Highest",
    value: (value: string, unit: string) => `${value} ${unit}`,
    notKnown: (unit: string) => `${unit}: not known`,
  },
} as const;
