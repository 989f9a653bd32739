/** The form for a new run, and its conversion to a recipe. Pure. */

interface RecipeForm {
  corpus: "lamptown" | "manuals" | "text";
  optimiser: "lazy" | "adam" | "sgd";
  tied: boolean;
  shuffle: boolean;
  steps: number | null;
  vocabulary: number | null;
  seed: number | null;
  rate: number | null;
  dim: number | null;
  layers: number | null;
  /** Steps between two whole matrices. */
  keyframes: number | null;
  /** Disk budget of the run, MB. */
  budget: number | null;
}

/** Return the defaults of `lamplighter/recipe.py`. */
export function defaultForm(): RecipeForm {
  return {
    corpus: "lamptown",
    optimiser: "lazy",
    tied: false,
    shuffle: false,
    steps: 5_000,
    vocabulary: 4_000,
    seed: 0,
    rate: 0.003,
    dim: 64,
    layers: 2,
    keyframes: 100,
    budget: 1_000,
  };
}

/** Convert a form to a recipe; an empty field is left to the server. */
export function recipeFromForm(form: RecipeForm, file: string): Record<string, unknown> {
  const given = (fields: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
  return given({
    corpus: given({
      kind: form.corpus,
      name: form.corpus === "text" ? file : null,
      vocabulary_size: form.vocabulary,
      shuffle_words: form.shuffle || null,
    }),
    model: given({ dim: form.dim, layers: form.layers, tied: form.tied }),
    optimiser: given({ kind: form.optimiser, learning_rate: form.rate }),
    cadence: given({ keyframe_every: form.keyframes }),
    steps: form.steps,
    seed: form.seed,
    disk_budget: form.budget === null ? null : Math.round(form.budget * 1e6),
  });
}

const FIELDS: [RegExp, string][] = [
  [/vocabulary_size/, "vocabulary"],
  [/learning_rate/, "rate"],
  [/\bdim\b/, "dim"],
  [/\blayers\b/, "layers"],
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
