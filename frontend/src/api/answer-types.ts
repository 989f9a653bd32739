/** The answers to questions about the model, by kind: what the server stores, which its interface does not describe. */

import type { Replayed, SaidWord, SpeakAnswer } from "./rest-types";

/** The text that losses are measured on. */
type TextName = "training" | "held_out";
/** A loss before and after a change; null where it is not finite. */
interface LossChange {
  before: number | null;
  after: number | null;
}
/** Ids with numbers. */
type Pairs = [number, number][];

/** The rows of one training step: those that were read, and the norm and the distance of those that have one. */
export interface TaughtRows {
  lit: number[];
  gradient: Pairs;
  moved: Pairs;
  counts: { lit: number; gradient: number; moved: number };
}
/** The copy after a step on the sentence, or then on the run's own text. */
export interface TaughtState {
  phase: "before" | "sentence" | "town";
  number: number;
  loss: number | null;
  text_loss: number | null;
  rows?: TaughtRows;
}
/** A context, and in each state the probability of the told word, and of what was said before. */
export interface WatchedContext {
  ids: number[];
  p: number[];
  said: number;
  said_p: number[];
}
/** One that differs from the sentence's own in the word at `place`. */
export interface ChangedContext extends WatchedContext {
  place: number;
  id: number;
}
export interface WhatIfAnswer {
  sentence: number[];
  /** Position of the word that the answer tells of. */
  told: number;
  learning_rate: number;
  text: TextName;
  states: TaughtState[];
  own: WatchedContext;
  also_changed: ChangedContext[];
  watched: number;
  candidates: { before: Pairs; sentence: Pairs; town: Pairs | null };
  parameters_moved: number;
  replayed: Replayed;
}

export interface TransplantAnswer {
  prompt: number[];
  into: number | null;
  source: number | null;
  source_step: number;
  before: SaidWord[];
  after: SaidWord[];
  instead: SaidWord[] | null;
  first: ({ id: number } & LossChange)[];
  loss: LossChange;
  /** Loss of guessing. */
  chance: number;
  text: TextName;
  rows: number;
  distance: number;
  replayed: Replayed;
}

/** Numbers and nearest words of the example, before or after. */
export interface TurnedWord {
  numbers: number[];
  neighbours: Pairs;
}
export interface RotationAnswer {
  coordinates: number;
  changed: number;
  lists: number;
  kept: number;
  cosine_error: number;
  purity: (LossChange & { chance: number }) | null;
  example: { id: number; before: TurnedWord; after: TurnedWord };
  loss: LossChange;
  text: TextName;
  replayed: Replayed;
}

/** A word that two sentences have: where, and its cosine at the entry and after each layer. */
export interface SharedWord {
  id: number;
  positions: [number, number];
  cosines: (number | null)[];
}
export interface AttentionReading {
  step: number;
  /** Shares by layer, head and position: of the positions up to it. */
  attention: number[][][][];
  words: SharedWord[];
}
export interface ProbeAnswer {
  sentence: number[];
  other_sentence: number[] | null;
  readings: AttentionReading[];
  change: (number | null)[][] | null;
  replayed: Replayed;
}

/** Bytes that a process hands in, where every gradient is sent whole, and where of the embedding only rows are. */
interface SentBytes {
  dense_bytes: number;
  /** Null where every row has a gradient. */
  lazy_bytes: number | null;
}
export interface DevicesAnswer {
  processes: number;
  sequences: number[];
  rows: number[];
  rows_together: number;
  parameters: number;
  formula: SentBytes;
  measured: SentBytes & {
    /** Largest difference of a gradient from that of one process. */
    difference: number | null;
    largest: number | null;
    seconds: number;
    exchange_seconds: { dense: number; lazy?: number };
  };
  replayed: Replayed;
}

/** Cost of an update of the rows with a gradient, and of all rows. */
interface UpdateCost {
  touched: number;
  whole: number;
}
/** One rule of updating: what it did at its last step, and what that took. */
export interface RuleReading {
  name: "lazy" | "adam" | "decay" | "tied";
  batch_rows: number;
  gradient_rows: number;
  moved_rows: number;
  /** Bitmaps of the rows, in base64. */
  sets: Record<"batch" | "gradient" | "moved", string> & { distances: (number | null)[] | null };
  bytes: UpdateCost;
  flops: UpdateCost;
  updates: keyof UpdateCost;
  update_ms: number;
  step_ms: number;
  losses: (number | null)[];
  counts: [number, number, number][];
}
export interface BenchAnswer {
  recipes: RuleReading[];
  steps: number;
  rows: number;
  width: number;
  weight_decay: number;
  large: {
    rows: number;
    width: number;
    touched: number;
    touched_ms: number;
    whole_ms: number;
    touched_flops: number;
    whole_flops: number;
    softmax_flops: number;
    batch_tokens: number;
  } | null;
  large_reason: string | null;
  replayed: Replayed;
}

export interface BatchSizesAnswer {
  /** `alone`: the share to be expected if every token were drawn by itself. */
  sizes: { tokens: number; rows: number; share: number; alone: number }[];
  vocabulary: number;
  corpus_tokens: number;
  batch_tokens: number;
  replayed: Replayed;
}

/** A copy of the model after some steps in another town, or back in its own. */
export interface EnvironmentPoint {
  step: number;
  loss_first: number | null;
  loss_other: number | null;
  purity_in_first: number | null;
  purity_in_other: number | null;
  purity_out_first: number | null;
  purity_out_other: number | null;
}
export interface EnvironmentAnswer {
  curve: EnvironmentPoint[];
  turned_back_at: number | null;
  /** Purity of a random matrix. */
  chance: number | null;
  permuted: number;
  words: number;
  tied: boolean;
  text: TextName;
  learning_rate: number;
  replayed: Replayed;
}

/** Words that are about as frequent: about a tenth of the text. */
export interface WordGroup {
  words: number;
  least: number;
  most: number;
  share: number;
  predictions: number;
  loss: number | null;
  /** Loss of who knows only how frequent each word is. */
  by_counts: number | null;
}
export interface OptimiserReading {
  name: "sgd" | "adam";
  learning_rate: number;
  tried: { learning_rate: number; loss: number | null }[];
  curve: { step: number; losses: (number | null)[] }[];
}
export interface DecilesAnswer {
  groups: WordGroup[];
  guessing: number;
  text: TextName;
  steps: number;
  optimisers: OptimiserReading[];
  replayed: Replayed;
}

/** The rise of a sentence's loss, in nats, with another word in the place of one: over all sentences. */
export interface SubstitutionRise {
  rise: number | null;
  /** Standard error of the mean. */
  error: number | null;
  median: number | null;
  at: number | null;
  after: number | null;
}
/** A kind of word that is put in the place of another. */
export type Substitute = "near" | "tenth" | "chance";
export interface SubstitutionAnswer {
  sentences: number;
  draws: number;
  text: TextName;
  near: SubstitutionRise;
  tenth: SubstitutionRise;
  chance: SubstitutionRise;
  share_near_better: number | null;
  example: {
    ids: number[];
    position: number;
    word: number;
  } & Record<Substitute, { id: number; rise: number | null }>;
  replayed: Replayed;
}

/** The answers by the kind of the question. */
export interface AnswerByKind {
  speak: SpeakAnswer;
  what_if: WhatIfAnswer;
  transplant: TransplantAnswer;
  rotation: RotationAnswer;
  probe: ProbeAnswer;
  devices: DevicesAnswer;
  bench: BenchAnswer;
  batch_sizes: BatchSizesAnswer;
  environment: EnvironmentAnswer;
  deciles: DecilesAnswer;
  substitution: SubstitutionAnswer;
}
export type StoredAnswer = AnswerByKind[keyof AnswerByKind];
