/** The command line that repeats a run, built from its recipe. Pure. */

import type { Recipe } from "../../api/rest";

export interface Again {
  command: string;
  /**
   * Content of the `recipe.toml` that the command needs for settings without an option; null: none.
   */
  toml: string | null;
}

/** Defaults of `lamplighter/recipe.py` for settings without a command-line option. */
const PASSAGES = 4;
const UNSAID = { embedding_factor: 5, clip_norm: 1, checkpoint_every: 250, verify_every: 50 };

/**
 * Return the command that trains `recipe` again; null for a run from a user's own training loop,
 * which no command of ours can repeat.
 */
export function commandOf(recipe: Recipe): Again | null {
  const { corpus, model, optimiser, cadence, map } = recipe;
  if (corpus.kind === "recorded") return null;
  const passages = shared(recipe.sequences);
  const whole =
    optimiser.embedding_factor !== UNSAID.embedding_factor ||
    optimiser.clip_norm !== UNSAID.clip_norm ||
    cadence.checkpoint_every !== UNSAID.checkpoint_every ||
    cadence.verify_every !== UNSAID.verify_every ||
    recipe.passages !== passages;
  const text = corpus.kind === "text";
  const words: (string | number | null)[] = ["lamplighter train"];
  const say = (option: string, value: string | number) => words.push(`--${option}`, value);
  if (whole) say("recipe", "recipe.toml");
  if (text) say("corpus", quoted(corpus.name || "TEXT"));
  if (whole) return { command: words.join(" "), toml: tomlOf(recipe) };
  if (!text) say("corpus", corpus.kind);
  say("steps", recipe.steps);
  say("vocabulary", corpus.vocabulary_size);
  say("tokeniser", corpus.tokeniser);
  if (corpus.shuffle_words) words.push("--shuffle-words");
  say("dim", model.dim);
  say("layers", model.layers);
  say("heads", model.heads);
  say("context", model.context);
  say("batch", recipe.sequences);
  say("optimiser", optimiser.kind);
  if (model.tied) words.push("--tied");
  say("learning-rate", optimiser.learning_rate);
  say("seed", recipe.seed);
  say("threads", recipe.threads);
  say("device", recipe.device);
  say("keyframe-every", cadence.keyframe_every);
  say("map", map.method);
  say("map-neighbours", map.neighbours);
  say("map-min-dist", map.min_dist);
  say("map-spread", map.spread);
  say("disk-budget", recipe.disk_budget / 1e6);
  return { command: words.join(" "), toml: null };
}

/**
 * Return the passages a batch gets from the command line: the largest divisor of `sequences` up to
 * the default.
 */
function shared(sequences: number): number {
  for (let n = Math.min(PASSAGES, sequences); n > 1; n--) if (sequences % n === 0) return n;
  return 1;
}

/** Quote a word for a shell, and remove its control characters. */
function quoted(word: string): string {
  const plain = word.replace(/\p{Cc}/gu, "");
  return /^[\w./-]+$/.test(plain) && !plain.startsWith("-")
    ? plain
    : `'${plain.replaceAll("'", `'\\''`)}'`;
}

/** Return the recipe as TOML, with the tables last. */
function tomlOf(recipe: Recipe): string {
  const lines = (part: object) =>
    Object.entries(part)
      .filter(([, value]) => typeof value !== "object")
      .map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  const tables = Object.entries(recipe)
    .filter(([, value]) => typeof value === "object" && value !== null)
    .flatMap(([name, value]) => ["", `[${name}]`, ...lines(value as object)]);
  return [...lines(recipe), ...tables].join("\n");
}
