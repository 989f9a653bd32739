/** The form for a new run, and its conversion to a recipe. Pure. */

import * as field from "../../api/generated/recipe";
import type { PartialRecipe, Recipe } from "../../api/rest-types";

interface RecipeForm {
  corpus: Exclude<Recipe["corpus"]["kind"], "recorded">;
  optimiser: Recipe["optimiser"]["kind"];
  tied: boolean;
  shuffle: boolean;
  /** For words that come again: the control, which cannot learn to copy. */
  oneLayer: boolean;
  steps: number | null;
  vocabulary: number | null;
  seed: number | null;
  rate: number | null;
  dim: number | null;
  layers: number | null;
  /** Settings of the map's layout. */
  neighbours: number | null;
  minDist: number | null;
  spread: number | null;
  /** Steps between two complete matrices. */
  keyframes: number | null;
  /** Disk budget of the run, MB. */
  budget: number | null;
}

export const MEGABYTE = 1e6;

/** Return a form with the server's defaults. */
export function defaultForm(): RecipeForm {
  return {
    corpus: field.corpusKind.default,
    optimiser: field.optimiserKind.default,
    tied: field.modelTied.default,
    shuffle: field.corpusShuffleWords.default,
    oneLayer: false,
    steps: field.steps.default,
    vocabulary: field.corpusVocabularySize.default,
    seed: field.seed.default,
    rate: field.optimiserLearningRate.default,
    dim: field.modelDim.default,
    layers: field.modelLayers.default,
    neighbours: field.mapNeighbours.default,
    minDist: field.mapMinDist.default,
    spread: field.mapSpread.default,
    keyframes: field.cadenceKeyframeEvery.default,
    budget: field.diskBudget.default / MEGABYTE,
  };
}

/** Convert a form to a recipe; empty fields, and the settings of texts that bring their own, are left to the server. */
export function recipeFromForm(form: RecipeForm, file: string): PartialRecipe {
  if (form.corpus === "modular") return { corpus: { kind: form.corpus } };
  if (form.corpus === "repeats")
    return { corpus: { kind: form.corpus }, ...(form.oneLayer && { model: { layers: 1 } }) };
  return given({
    corpus: given({
      kind: form.corpus,
      name: form.corpus === "text" ? file : null,
      vocabulary_size: form.vocabulary,
      shuffle_words: form.shuffle || null,
    }),
    model: given({ dim: form.dim, layers: form.layers, tied: form.tied }),
    optimiser: given({ kind: form.optimiser, learning_rate: form.rate }),
    map: given({
      neighbours: form.neighbours,
      min_dist: form.minDist,
      spread: form.spread,
    }),
    cadence: given({ keyframe_every: form.keyframes }),
    steps: form.steps,
    seed: form.seed,
    disk_budget: form.budget === null ? null : Math.round(form.budget * MEGABYTE),
  });
}

/** Return the fields that are not null. */
function given<T extends object>(fields: T): { [Name in keyof T]?: Exclude<T[Name], null> } {
  const found = Object.entries(fields).filter(([, value]) => value !== null);
  return Object.fromEntries(found) as { [Name in keyof T]?: Exclude<T[Name], null> };
}

const FIELDS: [RegExp, string][] = [
  [/vocabulary_size/, "vocabulary"],
  [/learning_rate/, "rate"],
  [/\bdim\b/, "dim"],
  [/\blayers\b/, "layers"],
  [/neighbours/, "neighbours"],
  [/min_dist|^(recipe\.)?map$/, "minDist"],
  [/spread/, "spread"],
  [/keyframe_every/, "keyframes"],
  [/disk_budget/, "budget"],
  [/\bsteps\b/, "steps"],
  [/\bseed\b/, "seed"],
  [/^(recipe\.)?optimiser\b/, "optimiser"],
  [/\bcorpus\b|\bupload\b|\btext\b/, "corpus"],
];

/** Return the form field that an error message names; null if it names none. */
export function fieldOfError(message: string): string | null {
  const where = message.split(":")[0] ?? "";
  return FIELDS.find(([pattern]) => pattern.test(where))?.[1] ?? null;
}
