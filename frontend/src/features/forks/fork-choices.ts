/** What a fork may change, each with a sensible value. Pure. */

import type { Body, Recipe } from "../../api/rest-types";

type Changes = NonNullable<Body<"POST /api/runs/{run}/forks">["changes"]>;

/** A change that a fork is made with: a field with a value that a person may edit, a ready value, or nothing. */
export interface ForkChoice {
  readonly name:
    | "faster"
    | "slower"
    | "optimiser"
    | "clip"
    | "batch"
    | "seed"
    | "freeze"
    | "town"
    | "text"
    | "planted"
    | "control";
  /** The field of the recipe; null for the control. */
  readonly field: string | null;
  /** The proposed value: numbers and texts can be edited. */
  readonly value: number | string | readonly string[] | null;
  /** The other values to choose from, if there are few. */
  readonly options?: readonly string[];
}

/** Words that the built-in town lacks: two that share a sign. */
const PLANTED = "robot android antenna";
const OPTIMISERS = ["lazy", "adam", "sgd"] as const;

/** Return the choices for a run, the usual one first. `rate`: its learning rate at the step of the fork. */
export function forkChoices(recipe: Recipe, rate: number): ForkChoice[] {
  const { optimiser, corpus, model, sequences, passages, seed } = recipe;
  const frozen = optimiser.frozen ?? [];
  const towns = corpus.kind === "lamptown";
  const kinds = OPTIMISERS.filter(
    (kind) => kind !== optimiser.kind && !(model.tied && kind === "lazy"),
  );
  const tenth = (value: number) => Number(value.toPrecision(3));
  return [
    { name: "faster", field: "optimiser.learning_rate", value: tenth(rate * 10) },
    { name: "slower", field: "optimiser.learning_rate", value: tenth(rate / 10) },
    { name: "optimiser", field: "optimiser.kind", value: kinds.at(-1)!, options: kinds },
    { name: "clip", field: "optimiser.clip_norm", value: tenth(optimiser.clip_norm / 10) },
    {
      name: "batch",
      field: "sequences",
      // Each passage is of as many sequences.
      value:
        sequences >= 4 * passages ? passages * Math.round(sequences / 4 / passages) : sequences * 4,
    },
    { name: "seed", field: "seed", value: seed + 1 },
    ...(frozen.includes("embedding")
      ? []
      : [{ name: "freeze", field: "optimiser.frozen", value: [...frozen, "embedding"] } as const]),
    ...(towns && !corpus.other_town
      ? [{ name: "town", field: "corpus.kind", value: "othertown" } as const]
      : []),
    { name: "text", field: "corpus.kind", value: "text" },
    ...(towns && corpus.tokeniser === "words" && !corpus.planted.length
      ? [{ name: "planted", field: "corpus.planted", value: PLANTED } as const]
      : []),
    { name: "control", field: null, value: null },
  ];
}

/** Return the changes of a choice with a value, as the server wants them. */
export function changesOf({ field, name }: ForkChoice, value: ForkChoice["value"]): Changes {
  if (field === null || value === null) return {};
  return { [field]: name === "planted" ? [String(value)] : value };
}
