/** The command line that repeats a run, built from its recipe. Pure. */

import * as field from "../../api/generated/recipe";
import type { Recipe } from "../../api/rest-types";

interface RepeatCommand {
  command: string;
  /** Content of the `recipe.toml` that the command needs for settings without an option; null: none. */
  toml: string | null;
}

/**
 * Return the command that trains `recipe` again; null for a run recorded from an external training loop,
 * which `lamplighter` cannot repeat.
 */
export function repeatCommand(recipe: Recipe): RepeatCommand | null {
  const { corpus, model, optimiser, cadence, map } = recipe;
  if (corpus.kind === "recorded") return null;
  const passages = defaultPassages(recipe.sequences);
  // The settings without an option.
  const needsFile =
    optimiser.embedding_factor !== field.optimiserEmbeddingFactor.default ||
    optimiser.clip_norm !== field.optimiserClipNorm.default ||
    cadence.checkpoint_every !== field.cadenceCheckpointEvery.default ||
    cadence.waypoint_every !== field.cadenceWaypointEvery.default ||
    cadence.verify_every !== field.cadenceVerifyEvery.default ||
    recipe.prompts.length > 0 ||
    corpus.planted.length > 0 ||
    recipe.passages !== passages;
  const text = corpus.kind === "text";
  const words: (string | number | null)[] = ["lamplighter train"];
  const addOption = (option: string, value: string | number) => words.push(`--${option}`, value);
  if (needsFile) addOption("recipe", "recipe.toml");
  if (text) addOption("corpus", shellQuoted(corpus.name || "TEXT"));
  if (needsFile) return { command: words.join(" "), toml: recipeToml(recipe) };
  if (!text) addOption("corpus", corpus.kind);
  addOption("steps", recipe.steps);
  addOption("vocabulary", corpus.vocabulary_size);
  addOption("tokeniser", corpus.tokeniser);
  if (corpus.shuffle_words) words.push("--shuffle-words");
  addOption("dim", model.dim);
  addOption("layers", model.layers);
  addOption("heads", model.heads);
  addOption("context", model.context);
  if (model.negatives) addOption("negatives", model.negatives);
  addOption("batch", recipe.sequences);
  addOption("optimiser", optimiser.kind);
  if (model.tied) words.push("--tied");
  addOption("learning-rate", optimiser.learning_rate);
  if (optimiser.weight_decay) addOption("weight-decay", optimiser.weight_decay);
  addOption("seed", recipe.seed);
  addOption("threads", recipe.threads);
  addOption("device", recipe.device);
  addOption("keyframe-every", cadence.keyframe_every);
  addOption("map-neighbours", map.neighbours);
  addOption("map-min-dist", map.min_dist);
  addOption("map-spread", map.spread);
  addOption("disk-budget", recipe.disk_budget / 1e6);
  return { command: words.join(" "), toml: null };
}

/**
 * Return the number of passages that the command line gives a batch: the largest divisor of `sequences` up to
 * the default.
 */
function defaultPassages(sequences: number): number {
  for (let n = Math.min(field.passages.default, sequences); n > 1; n--)
    if (sequences % n === 0) return n;
  return 1;
}

/** Quote a word for a shell, and remove its control characters. */
function shellQuoted(word: string): string {
  const plain = word.replace(/\p{Cc}/gu, "");
  return /^[\w./-]+$/.test(plain) && !plain.startsWith("-")
    ? plain
    : `'${plain.replaceAll("'", `'\\''`)}'`;
}

/** Return the recipe as TOML, with the tables last. */
function recipeToml(recipe: Recipe): string {
  const isTable = (value: unknown) => typeof value === "object" && !Array.isArray(value);
  const lines = (part: object) =>
    Object.entries(part)
      .filter(([, value]) => !isTable(value))
      .map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  const tables = Object.entries(recipe)
    .filter(([, value]) => isTable(value))
    .flatMap(([name, value]) => ["", `[${name}]`, ...lines(value as object)]);
  return [...lines(recipe), ...tables].join("\n");
}
