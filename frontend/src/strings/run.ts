/** Texts of the run panel. */

import type { Recipe, RecordPart } from "../api/rest-types";
import { count, fixed, language } from "./numbers";
import { table } from "./translation";

const several = (n: number, one: string, many: string) => `${count(n)} ${n === 1 ? one : many}`;

const roles: Record<string, string> = {
  trainer: "Training",
  projector: "Map",
  analyst: "Measures",
};

export const run = table("run", {
  runPanel: {
    recipe: "Recipe",
    text: {
      lamptown: () => "It reads Lamptown, a generated text with planted kinds of words",
      novels: () => "It reads two novels, in which nothing is planted",
      manuals: () => "It reads the documentation of the Python packages on the server",
      modular: () => "It adds on a clock",
      repeats: () => "It reads lists of random words, of which pieces come again",
      text: (name: string) => `It reads an uploaded text: ${name}`,
      recorded: (name: string) => `It was trained elsewhere: ${name}`,
    } satisfies Record<Recipe["corpus"]["kind"], (name: string) => string>,
    unnamed: "unnamed",
    shuffled: "the words of each document in random order (the control)",
    tokens: (all: number, kinds: number) => `${count(all)} tokens of ${count(kinds)} kinds.`,
    kinds: (kinds: number) => `${count(kinds)} kinds of token.`,
    model: ({ layers, heads, dim, context, tied }: Recipe["model"]) =>
      `The model is a transformer of ${several(layers, "block", "blocks")} with ${several(heads, "attention head", "attention heads")} each. A token is a row of ${count(dim)} numbers, and it reads ${count(context)} tokens at a time. ${
        tied
          ? "Reading and predicting share one matrix (tied)."
          : "Reading and predicting have one matrix each."
      }`,
    batch: (sequences: number, context: number, passages: number) =>
      `One step reads ${several(sequences, "sequence", "sequences")} of ${count(context)} tokens, ${count(sequences * context)} in all, from ${several(passages, "place", "places")} of the text.`,
    optimisers: {
      lazy: "The optimiser is Adam, lazy for the embedding: it updates only the rows in the batch.",
      adam: "The optimiser is Adam for everything: momentum keeps sleeping rows drifting.",
      sgd: "The optimiser is plain gradient descent (SGD): without momentum, sleeping rows stay put.",
    } satisfies Record<Recipe["optimiser"]["kind"], string>,
    clipped: (norm: string) => `Gradients longer than ${norm} are clipped to that length.`,
    end: (steps: number, seed: number) => `Planned: ${count(steps)} steps, seed ${seed}.`,
    where: (device: string, threads: number) =>
      `Device: ${device}, ${several(threads, "thread", "threads")}.`,
    settings: "Training settings",
    settingsMore: "As reported by the training program.",
    settingsLeft: (more: number) => `And ${count(more)} more, available over REST.`,
    rates: "Learning rate",
    rate: "now",
    ratePlanned: "in the recipe",
    rateEmbedding: "of the embedding",
    rateTimes: (rate: string, factor: string) => `${rate} (${factor} times)`,
    sizes: "Sizes",
    parameters: "parameters",
    ofThem: (share: number) => `${share}\u00a0% of them in the embedding`,
    matrix: "embedding",
    matrixSize: (rows: number, dim: number) => `${count(rows)} rows × ${count(dim)} numbers`,
    disk: "on disk",
    leftOut: (parts: readonly string[]) =>
      `This page is a file. It leaves out ${parts.join("; ")}.`,
    parts: {
      steps: "steps, whole matrices, moved rows",
      tiles: "moved rows, by token",
      map: "map and neighbourhoods",
      measures: "measures",
      checkpoints: "checkpoints",
      waypoints: "saved states of the model",
      corpus: "text",
      other: "everything else",
    } satisfies Record<RecordPart, string>,
    budget: (most: string) => `The limit is ${most}.`,
    speed: "Speed",
    pace: "steps per second",
    paceMore: (steps: number) => `over the last ${count(steps)} steps`,
    tokensASecond: "tokens per second",
    training: "training, per step",
    observing: "observing and recording, per step",
    milliseconds: (seconds: number) => `${fixed(1_000 * seconds, seconds < 0.01 ? 2 : 1)} ms`,
    days: (days: number) => `${days} days`,
    noSpeed: "Nothing to measure yet: no step has been recorded.",
    work: "Processes and browsers",
    roles,
    holds: "A trainer is working on this run.",
    nobody: "No trainer is working on this run.",
    time: "Time",
    made: "created",
    newest: "newest step",
    lasted: "from the first attempt to the newest step",
    lastedMore: "breaks included",
    attempts: "Attempts",
    attemptsMore:
      "A new attempt starts where an interrupted run could not be repeated bit for bit. It replaces what older attempts had from that step on.",
    attempt: (attempt: number, first: number) =>
      `${count(attempt)}: ${first === 0 ? "from the start" : `from step ${count(first)}`}`,
    onlyOne: "One, uninterrupted.",
    noAttempt: "None yet.",
    again: "Reproduce this run",
    againMore: "In a terminal; the same seed on the same machine gives the same numbers.",
    againText: "The text must be available under that name.",
    againFile: "Save this beside it as recipe.toml:",
    notAgain: "Only the loop that trained this run can reproduce it.",
    copy: "Copy",
    copied: "Copied",
    notCopied: "Your browser blocks copying here: select the text instead.",
    none: "Loading the run…",
  },
} as const);

/** Return a duration in words. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "–";
  if (seconds < 60) return `${fixed(seconds, seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return minutes < 2_880
    ? `${Math.floor(minutes / 60)} h ${minutes % 60} min`
    : run.runPanel.days(Math.floor(minutes / 1_440));
}

/** Return a time (Unix seconds) in this viewer's time zone. */
export function formatTime(time: number | null | undefined): string {
  if (time === null || time === undefined || !Number.isFinite(time)) return "–";
  const clock = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
  return clock.format(time * 1_000);
}
