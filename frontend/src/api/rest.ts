/** The REST interface of `docs/rest.md`: its types, and the functions that send requests. */

import { ApiError, reasonGiven, type Failure } from "./failure";

export type Phase =
  "waiting" | "preparing" | "running" | "paused" | "finished" | "interrupted" | "failed";

export interface Status {
  phase: Phase;
  message: string;
  alive: boolean;
  attempt: number;
  step: number;
  steps: number;
  loss: number | null;
  pace: "full" | "limited" | "single";
  pace_steps_per_second: number | null;
  snapshots: "all" | "keyframes" | "none" | "paused";
  bytes: number;
  /** Set while the trainer waits for free disk space. */
  crowded: boolean;
  changed: number;
}

export interface Recipe {
  corpus: {
    kind: "lamptown" | "manuals" | "text" | "recorded";
    name: string;
    tokeniser: "words" | "bpe";
    vocabulary_size: number;
    shuffle_words: boolean;
  };
  model: { dim: number; layers: number; heads: number; context: number; tied: boolean };
  optimiser: {
    kind: "lazy" | "adam" | "sgd";
    learning_rate: number;
    /** Factor on the learning rate for the embedding. */
    embedding_factor: number;
    clip_norm: number;
  };
  cadence: { keyframe_every: number; checkpoint_every: number; verify_every: number };
  map: MapRecipe;
  sequences: number;
  passages: number;
  steps: number;
  seed: number;
  threads: number;
  device: "auto" | "cpu" | "cuda" | "mps";
  disk_budget: number;
}

export interface Run {
  id: string;
  readable: boolean;
  problem: string | null;
  created: number | null;
  recipe: Recipe | null;
  status: Status | null;
  layers?: string[];
  vocabulary?: number;
  dim?: number;
  parameters?: number;
  corpus_tokens?: number;
  classes?: { name: string; size: number }[];
}

/** Disk size of a run, once finished. */
export interface Estimate {
  bytes: number;
  whole: number;
  fits: boolean;
  budget: number;
  lit: number;
  exact: boolean;
  parts: Record<"moved_rows" | "keyframes" | "steps" | "map" | "checkpoints" | "corpus", number>;
}

export interface Session {
  presenter: boolean;
  version: string;
  workers: Record<string, string>;
}

export interface StepRecord {
  attempt: number;
  step: number;
  time: number;
  loss: number;
  learning_rate: number;
  tokens_per_second: number;
  step_seconds: number;
  observe_seconds: number;
  batch_rows: number;
  gradient_rows: number;
  moved_rows: number;
  verified: boolean;
  layer_norms: number[];
  /** Rows in a batch at least once by then; null where not counted. */
  ever_rows?: number | null;
}

export interface StepDetail extends StepRecord {
  /** The batch's text: sequences of token ids. */
  tokens: number[][];
  gradient: [number, number][];
  moved: [number, number][];
}

export interface Token {
  token_id: number;
  token: string;
  count: number;
  class: string | null;
}

export interface TokenDetail extends Token {
  step: number;
  exact: boolean;
  norm: number;
  touches: number;
  last_lit: number | null;
}

export interface Neighbours {
  step: number;
  exact: boolean;
  items: { token_id: number; token: string; class: string | null; cosine: number }[];
}

/** The motion of a token's row over the exact steps; null where a value is undefined. */
export interface Motion {
  steps: number[];
  length: (number | null)[];
  displacement: (number | null)[];
  /** Degrees since the exact step before, and since the first. */
  turned: (number | null)[];
  turned_since_first: (number | null)[];
}

/** A token's gradient in the steps in which it was lit. */
export interface GradientPath {
  steps: number[];
  occurrences: number[];
  gradient: (number | null)[];
}

/** The distance between two tokens' rows over the steps. */
export interface PairPath {
  steps: number[];
  distance: (number | null)[];
  cosine: (number | null)[];
}

export type RecordPart =
  "steps" | "tiles" | "map" | "measures" | "checkpoints" | "corpus" | "other";

/** The attempts of a run, and its disk usage by part. */
export interface RunRecord {
  attempts: { attempt: number; first_step: number; opened: number }[];
  parts: { [Part in RecordPart]: number };
}

/** Statistics of a number measured on many pairs; null where there was no pair. */
interface Spread {
  mean: number | null;
  deviation: number | null;
  least: number | null;
  most: number | null;
}

export interface PairsMeasured {
  pairs: number;
  cosine: Spread;
  distance: Spread;
}

/** The similarity of some rows, beside that of random pairs. */
export interface Pairs {
  step: number;
  exact: boolean;
  token_ids: number[];
  among: PairsMeasured;
  random: PairsMeasured;
  table: { cosine: (number | null)[][]; distance: (number | null)[][] } | null;
}

export interface Measures {
  step: number;
  values: Record<string, number>;
}

/** An event in the life of a district. */
export interface DistrictEvent {
  id: number;
  time: number;
  attempt: number;
  step: number;
  kind: string;
  /** Text of the run is in it. Hostile: show with `printableText`. */
  message: string;
}

export type ExportFormat =
  "zip" | "html" | "embedding-projector" | "parquet" | "safetensors" | "npy" | "csv";

export interface Export {
  id: string;
  format: ExportFormat;
  step: number | null;
  state: "running" | "done" | "failed" | "cancelled";
  /** From 0 to 1. */
  share: number;
  what: string;
  bytes: number;
  name: string;
  problem: string | null;
  left_out: string[];
}

export interface MapRecipe {
  method: "umap" | "refit" | "pca";
  neighbours: number;
  min_dist: number;
  spread: number;
}

/** The current map settings, and the requested ones. */
export interface MapSettings {
  chosen: MapRecipe;
  asked: MapRecipe;
  settled: boolean;
  linear: { attempt: number; step: number } | null;
}

/** The reprojection of a finished run: its progress, and its result. */
export interface Reprojection {
  state: "none" | "running" | "done" | "failed" | "cancelled";
  share: number;
  what: string;
  problem: string | null;
  made: { steps: number; first: number; last: number; time: number } | null;
}

/** A presenter's request to a run. */
export type TrainerRequest =
  | ({ kind: "map" } & Partial<MapRecipe>)
  | { kind: "pause" | "resume" | "step" | "stop" }
  | { kind: "pace"; steps_per_second: number | null }
  | { kind: "learning_rate"; value: number }
  | { kind: "continue"; steps: number; learning_rate?: number };

/**
 * Send a request; return the response's JSON. `path` starts at the root. Throws `ApiError`, or the
 * abort.
 */
export async function requestJson<T>(path: string, init: RequestInit = {}): Promise<T> {
  const text = await readBody(path, init, (answer) => answer.text());
  return (text ? JSON.parse(text) : undefined) as T;
}

/** Send a request; return the response's bytes. Throws `ApiError`, or the abort. */
export function requestBytes(path: string, init: RequestInit = {}): Promise<ArrayBuffer> {
  return readBody(path, init, (answer) => answer.arrayBuffer());
}

async function readBody<T>(
  path: string,
  init: RequestInit,
  content: (answer: Response) => Promise<T>,
): Promise<T> {
  const answer = await fetchResponse(path, init);
  try {
    return await content(answer);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, { code: "broken" });
  }
}

/**
 * Send a request; return the response, with its body unread. Throws `ApiError` unless it is 2xx, or
 * the abort.
 */
export async function fetchResponse(path: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, { code: "silent" });
  }
  if (answer.ok) return answer;
  throw new ApiError(answer.status, await errorMessage(answer));
}

/** Send `content` as JSON; return the response's JSON. Throws `ApiError`, or the abort. */
export function sendJson<T>(path: string, content: unknown, method = "POST"): Promise<T> {
  const headers = { "content-type": "application/json" };
  return requestJson<T>(path, { method, headers, body: JSON.stringify(content) });
}

/** Return `/api/runs/<run>/<rest>`, with the run's id escaped. */
export function runPath(run: string, rest = ""): string {
  return `/api/runs/${encodeURIComponent(run)}${rest && `/${rest}`}`;
}

async function errorMessage(answer: Response): Promise<Failure> {
  try {
    const problem = (await answer.json()) as { detail?: unknown; title?: unknown };
    if (typeof problem.detail === "string") return reasonGiven(problem.detail);
    if (Array.isArray(problem.detail))
      return { code: "invalid", faults: problem.detail.map(describeFault) };
    if (typeof problem.title === "string") return reasonGiven(problem.title);
  } catch {
    // Without JSON the status line has to do.
  }
  return reasonGiven(`${answer.status} ${answer.statusText}`.trim());
}

function describeFault(item: unknown): { field: string; reason: string | null } {
  const { loc, msg } = item as { loc?: unknown[]; msg?: string };
  return { field: (loc ?? []).filter((part) => part !== "body").join("."), reason: msg ?? null };
}
