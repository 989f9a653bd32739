/** Texts of forks: where a run comes from, and what was changed. */

import type { Run } from "../api/rest-types";
import { printableText } from "../api/vocabulary";
import { count, small } from "./numbers";
import { table } from "./translation";

type Parent = NonNullable<Run["parent"]>;
type Change = Parent["changes"][number];

/** The names of the fields of a recipe that a fork may change. */
const fields: Record<string, string> = {
  "optimiser.learning_rate": "learning rate",
  "optimiser.kind": "optimiser",
  "optimiser.clip_norm": "gradient clipping",
  "optimiser.embedding_factor": "learning rate of the embedding, as a multiple",
  "optimiser.weight_decay": "weight decay",
  sequences: "batch size",
  passages: "passages per batch",
  seed: "order of the batches (seed)",
  "corpus.kind": "text",
  "corpus.shuffle_words": "words shuffled",
  "corpus.planted": "planted words",
};
/** The values of such fields that are words. */
const values: Record<string, string> = {
  lazy: "lazy Adam",
  adam: "Adam",
  sgd: "SGD",
  lamptown: "Lamptown",
  othertown: "another town",
  novels: "novels",
  manuals: "manuals",
  modular: "sums on a clock",
  repeats: "words that come again",
  text: "a text of your own",
  embedding: "the embedding",
  output: "the output matrix",
  "embedding output": "the embedding and the output matrix",
  true: "yes",
  false: "no",
  "": "none",
};

export const forks = table("forks", {
  fields,
  values,
  instead: (field: string, after: string, before: string) =>
    `${field} ${after} instead of ${before}`,
  /** `matrices`: what a fork holds fixed; empty: nothing. */
  frozen: (matrices: string) => `${matrices || "nothing"} held fixed`,
  nothing: "nothing changed",
  from: (name: string, step: number, changes: string) =>
    `From step ${count(step)} of ${name}: ${changes}`,
  /** Begins a line below the run that it comes from. */
  at: (step: number) => `From step ${count(step)}:`,
  /** Stands for the name of a run that is not shown. */
  unnamed: "a run",
  gone: "That run is no longer here.",
  fork: "Fork",
  compare: "Compare",
  compareMore: "Shows how this run differs from the one that is open",
  compareParent: "Compare with the run it comes from",
});

function valueText(value: Change["before"]): string {
  if (typeof value === "number") return Number.isInteger(value) ? count(value) : small(value);
  return forks.values[String(value)] ?? printableText(String(value));
}

/** Return one change of a fork in words. */
export function changeText({ field, before, after }: Change): string {
  if (field === "optimiser.frozen") return forks.frozen(after === "" ? "" : valueText(after));
  const name = forks.fields[field] ?? printableText(field);
  return forks.instead(name, valueText(after), valueText(before));
}

/** Return all changes of a fork in words. */
export function changesText(changes: readonly Change[]): string {
  return changes.length ? changes.map(changeText).join(", ") : forks.nothing;
}

/** Return where a run comes from, in words. */
export function originText({ name, step, changes }: Parent): string {
  return forks.from(printableText(name) || forks.unnamed, step, changesText(changes));
}
