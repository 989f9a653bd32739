/** Texts of the form that makes a fork. */

import { count, fixed } from "../../strings/numbers";
import { table } from "../../strings/translation";

export const forkForm = table("forkForm", {
  title: (step: number) => `What if, from step ${count(step)} on …`,
  choices: {
    faster: "it learned ten times as fast?",
    slower: "it learned ten times as slowly?",
    optimiser: "it used another optimiser?",
    clip: "steep gradients were clipped sooner?",
    batch: "it read more, or less, in each step?",
    seed: "it read the same text in another order?",
    freeze: "its words could not move any more?",
    town: "the words of the town swapped their jobs?",
    text: "it went on with a text of yours?",
    planted: "two new words moved to town?",
    control: "nothing changed?",
  },
  more: {
    faster: "learning rate",
    slower: "learning rate",
    optimiser: "optimiser",
    clip: "length of the longest gradient",
    batch: "batch size",
    seed: "seed of the batches",
    freeze: "The embedding is held fixed, and the rest learns on.",
    town: "The same sentences, but each word does the work of another of its kind.",
    text: "Words that this run does not know become “unknown”.",
    planted: "two words, and a third that both stand beside",
    control: "The control: it should be equal to this run to the last bit.",
  },
  steps: "steps",
  train: "Train",
  accept: "Accept and train",
  training: "Starting …",
  cost: (seconds: number | null, size: string) =>
    seconds === null
      ? `Another run, of ${size} at first. This one stays as it is.`
      : `Begins after ${seconds < 0.95 ? "a second" : `${fixed(seconds, seconds < 9.5 ? 1 : 0)} s`} of recomputing, with ${size}. This run stays as it is.`,
  looking: "Looking up what it takes …",
});
