/** Texts of the form for a new run, which load with it. */

import { count } from "../../strings/numbers";
import { table } from "../../strings/translation";

export const runForm = table("runForm", {
  about: "The defaults work well.",
  corpus: "What should it read?",
  lamptown: "Lamptown",
  lamptownMore:
    "A made-up town in simple sentences. Words of a kind find each other while you watch.",
  novels: "Two novels",
  novelsMore: "By Jane Austen: a real text, in which nothing was planted.",
  manuals: "Read the Python manuals instead",
  manualsMore: "The documentation of the Python packages on this server: real English.",
  text: "Your own text",
  textMore: "Paste it, or choose a file.",
  optimiser: "Optimiser",
  lazy: "lazy: only touched rows are updated",
  adam: "Adam: sleeping rows drift on by momentum",
  sgd: "SGD: no momentum, sleeping rows rest",
  tied: "Tied weights",
  tiedMore: "One matrix for reading and predicting: then every row gets a gradient at every step.",
  vocabulary: "Vocabulary",
  vocabularyMore: "Most tokens the map may have.",
  steps: "Steps",
  stepsMore: "Where the run ends; it can be trained on.",
  seed: "Seed",
  seedMore: "The same seed gives the same run.",
  rate: "Learning rate",
  rateMore: "The size of a step. Too large, and the loss jumps.",
  dim: "Width",
  dimMore: "Numbers in a row of the embedding; a multiple of the number of heads, 4.",
  layers: "Layers",
  layersMore: "Blocks of attention and MLP.",
  method: "Map drawn by",
  methodMore:
    "It changes the picture, never what is learned. PCA has none of the three numbers below.",
  neighbours: "Neighbours on the map",
  neighboursMore: "How many nearest words count for each: few make islands, many make one land.",
  minDist: "Minimum spacing",
  minDistMore:
    "How close together words may lie: small makes tight clumps, large spreads them out.",
  spread: "Spread",
  spreadMore: "How far out a neighbourhood reaches; never below the minimum spacing.",
  keyframes: "Whole matrix every",
  keyframesMore: "Steps between two whole matrices; in between, the rows that moved are kept.",
  budget: "Disk, MB",
  budgetMore: "The most the run may take. Near it only whole matrices are kept, then none.",
  estimate: (size: string) => `About ${size} on the disk when it is done.`,
  tooLarge: (size: string, budget: string) =>
    `Every snapshot would take about ${size}. Near the ${budget} of its budget the run keeps less.`,
  inexact: (every: number) =>
    `With this optimiser nearly every row moves: a whole matrix is kept every ${count(every)} steps.`,
  parts: {
    moved_rows: "moved rows",
    keyframes: "whole matrices",
    steps: "loss and lit rows",
    map: "map",
    checkpoints: "checkpoints",
    waypoints: "kept states of the model",
    corpus: "text",
  },
  shuffle: "Shuffle the words of each document",
  shuffleMore: "The control: the same words without their order.",
  more: "More options",
  start: "Start training",
  starting: "Starting",
} as const);
