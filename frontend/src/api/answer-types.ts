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

/** The answers by the kind of the question. */
export interface AnswerByKind {
  speak: SpeakAnswer;
  what_if: WhatIfAnswer;
  transplant: TransplantAnswer;
  rotation: RotationAnswer;
  probe: ProbeAnswer;
  devices: DevicesAnswer;
}
export type StoredAnswer = AnswerByKind[keyof AnswerByKind];
