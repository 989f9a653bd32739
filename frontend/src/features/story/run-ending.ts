/** The end of a run: what it learned, by the run's own measures. Pure. */

import type { Measures, Recipe, Status } from "../../api/rest-types";
import { hasEnded } from "../../model/phase";

/** Duration of a replay of the whole run, in seconds. */
export const REPLAY_DURATION = 30;

export interface RunEnding {
  readonly phase: "finished" | "interrupted" | "failed";
  readonly step: number;
  /** The step of another run from which it goes on; 0 if it began by itself. */
  readonly inherited: number;
  /** The step's number in the training that was recorded, where it differs; null: unknown. */
  readonly ownStep?: number | null;
  /** Number of words that its own steps read, with repetitions; null if unknown. */
  readonly read: number | null;
  /** Fractions of a word's nearest (as many as its kind has others, at most ten) that are of its own kind; null for a text without kinds. */
  readonly kindred: { now: number; atStart: number | null; byChance: number } | null;
  /** The loss over the first and the last steps; null if unknown. */
  readonly surprise: { first: number; last: number } | null;
  readonly districts: number;
}

interface EndingFacts {
  readonly status: Status | null;
  /** Null: it was not trained here. */
  readonly recipe: Recipe | null;
  readonly inherited: number;
  readonly measures: readonly Measures[];
  /** The smoothed losses, by step. */
  readonly losses: readonly number[];
  readonly districts: number;
}

/** Return how a run ended; null for a run that goes on, or had no step. */
export function endingOf(facts: EndingFacts): RunEnding | null {
  const { status, recipe, inherited, measures, losses, districts } = facts;
  if (!status || !hasEnded(status.phase) || !status.step) return null;
  const { phase, step } = status;
  const [first, last] = [losses[0], losses.at(-1)];
  return {
    phase: phase as RunEnding["phase"],
    step,
    inherited,
    read: recipe ? step * recipe.sequences * recipe.model.context : null,
    kindred: kindredOf(measures),
    surprise: isNumber(first) && isNumber(last) ? { first, last } : null,
    districts,
  };
}

/** Return the replay speed for `steps` in `REPLAY_DURATION`, in steps per second. */
export function replaySpeed(steps: number): number {
  return Math.max(1, Math.ceil(steps / REPLAY_DURATION));
}

function kindredOf(measures: readonly Measures[]): RunEnding["kindred"] {
  const measured = measures.filter(({ values }) => isNumber(values.purity_10nn));
  const [start, end] = [measured[0], measured.at(-1)];
  const byChance = end?.values.purity_chance;
  if (!end || !isNumber(byChance)) return null;
  const atStart = start?.step === 0 ? start.values.purity_10nn! : null;
  return { now: end.values.purity_10nn!, atStart, byChance };
}

function isNumber(value: number | null | undefined): value is number {
  return value !== null && value !== undefined && Number.isFinite(value);
}

const STORAGE_KEY = "lamplighter.ended";
const MAX_RUNS = 200;

/** Return whether the end of a run has been told. */
export function isEndingTold(run: string): boolean {
  return readRuns().includes(run);
}

/** Mark the end of a run as told. */
export function noteEndingTold(run: string) {
  const runs = [...readRuns().filter((id) => id !== run), run].slice(-MAX_RUNS);
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(runs));
  } catch {
    // Without storage it is told again.
  }
}

function readRuns(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((id) => typeof id === "string") : [];
  } catch {
    return [];
  }
}
