/** Texts of the skyline. */

import type { HeightMeasure } from "../model/view-options";
import { count } from "./numbers";
import { table } from "./translation";

interface HeightWords {
  name: string;
  axis: string;
  /** Ending of the sentence "its height is ...". */
  is: string;
  unit: string;
}

export const skyline = table("skyline", {
  name: "Skyline",
  more: "The same map in three dimensions: each word is as high as a number about it (3)",
  label: (height: string, names: string) =>
    `Skyline of the vocabulary: the height of a column is ${height}. Drag or use the arrow keys to turn it, + and − to come closer, click a column to look at its word.${names && ` The highest: ${names}.`}`,
  height: "Height",
  heights: {
    touches: {
      name: "times read",
      axis: "times read (batches)",
      is: "the number of batches its row was in so far",
      unit: "batches",
    },
    since: {
      name: "steps since read",
      axis: "steps since last read",
      is: "the number of steps since its row was last in a batch: high ones sleep long",
      unit: "steps",
    },
    gradient: {
      name: "gradient norm",
      axis: "gradient norm when last lit",
      is: "the Euclidean norm of its row's gradient (before clipping if it was trained here) the last time it was lit while this page looked",
      unit: "gradient norm",
    },
    norm: {
      name: "vector length",
      axis: "length of its vector (Euclidean norm)",
      is: "the length (Euclidean norm) of its vector",
      unit: "length of its vector",
    },
    moved: {
      name: "distance moved",
      axis: "distance moved in the space",
      is: "the Euclidean distance its row has come in the space",
      unit: "distance moved",
    },
    trust: {
      name: "reliability of its place",
      axis: "reliability of its place (0 to 1)",
      is: "how many of the words around it on the map are true neighbours, from 0 to 1",
      unit: "reliable",
    },
    frequency: {
      name: "frequency",
      axis: "times in the text",
      is: "how often it occurs in the text",
      unit: "times in the text",
    },
  } satisfies Record<HeightMeasure, HeightWords>,
  about: (is: string, logarithmic: boolean) =>
    `Each column stands where its word lies on the map; its height is ${is}${logarithmic ? ", on a logarithmic scale" : ""}.`,
  atStep: (step: number) => `Step ${count(step)}.`,
  between: (from: number, step: number) => `From step ${count(from)} to ${count(step)}.`,
  bound: "Some are upper bounds: steps this page missed were counted together.",
  most: (columns: number, all: number) =>
    `The ${count(columns)} most frequent of ${count(all)} words.`,
  every: (all: number) => `All ${count(all)} words.`,
  unknown: (words: number) =>
    words === 1
      ? "For one it is not known: a hollow point on the ground."
      : `For ${count(words)} it is not known: hollow points on the ground.`,
  none: "It is not known for any word yet.",
  waiting: "Drawing the skyline …",
  noMap: "There is no map yet to build it on.",
  highest: "Highest",
  value: (value: string, unit: string) => `${value} ${unit}`,
  notKnown: (unit: string) => `${unit}: not known`,
} as const);
