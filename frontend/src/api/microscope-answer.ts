/** The answer to a question of the kind `microscope`, as the examiner sends it. Numbers that are not finite are null. */

import type { Replayed } from "./rest-types";

type Maybe = number | null;

/** A loss before and after the update, in nats. */
export interface LossPair {
  before: Maybe;
  after: Maybe;
  predictions: number;
}

/** One sequence of the batch, word by word; at position i the model reads `ids` to i and guesses `next_ids[i]`. */
export interface MicroscopeText {
  sequence: number;
  sequences: number;
  /** Positions of a whole sequence; of a long one the lists have the first. */
  positions: number;
  ids: number[];
  next_ids: number[];
  /** Probability of the true word at each position. */
  p_before: Maybe[];
  p_after: Maybe[];
  /** Its rank among all words, from 1. */
  rank_before: number[];
  rank_after: number[];
  /** The likeliest words at each position before the update, with their probabilities. */
  candidates: [number, Maybe][][];
  share_risen: number;
  losses: { same: LossPair; other: LossPair; held_out: LossPair | null };
}

export interface ForwardOperation {
  name: string;
  layer: string;
  inputs: number[][];
  output: number[];
  is_product: boolean;
  /** Floating-point operations. */
  forward: number;
  backward: number;
}

export interface MicroscopeOperations {
  forward: ForwardOperation[];
  totals: {
    forward: number;
    backward: number;
    update: number;
    forward_products: number;
    backward_products: number;
  };
}

/** One output of one layer: y = w x + b. `w` and `x` are the shortest decimals of 32-bit numbers. */
export interface LinearOutput {
  layer: string;
  name: string;
  sequence: number;
  position: number;
  output: number;
  outputs: number;
  w: Maybe[];
  x: Maybe[];
  b: Maybe;
  /** The products and b, added up in 64 bits. */
  sum: Maybe;
  /** The number that the model computed. */
  y: Maybe;
  difference: Maybe;
}

export type RiverFlag = "vanishing" | "exploding";

/** The gradient's norm by layer, before clipping, from the loss back to the embedding. */
export interface MicroscopeRiver {
  layers: { layer: string; norm: Maybe; flag: RiverFlag | null }[];
  norm: Maybe;
  clip_norm: number;
  clip_scale: Maybe;
  rule: { vanishing_below_share: number; exploding_above_clip_norms: number };
}

/**
 * The update of one number of the embedding: old - step_size m_after / denominator, or old - step_size gradient
 * where the optimiser has no averages and these are null.
 */
export interface RowUpdate {
  token: number;
  coordinate: number;
  /** How often the batch reads the word. */
  occurrences: number;
  optimiser: string;
  /** False if the optimiser leaves the row alone. */
  updated: boolean;
  old: Maybe;
  gradient: Maybe;
  m_before: Maybe;
  v_before: Maybe;
  m_after: Maybe;
  v_after: Maybe;
  updates: Maybe;
  beta1: Maybe;
  beta2: Maybe;
  epsilon: Maybe;
  bias_correction1: Maybe;
  bias_correction2: Maybe;
  learning_rate: number;
  step_size: number;
  /** How many times as long the change would be without bias correction; missing in answers made before it was told. */
  uncorrected_times?: Maybe;
  denominator: Maybe;
  change: Maybe;
  /** By the formula. */
  new: Maybe;
  model_new: Maybe;
  /** `new` less the value that the model has, and less the recorded one. */
  model_difference: Maybe;
  /** Null where the record keeps only a digest of the step. */
  stored: Maybe;
  difference: Maybe;
  row: {
    numbers: number;
    numbers_equal: Maybe;
    before: Maybe[];
    after: Maybe[];
    gradient: Maybe[] | null;
    length_before: Maybe;
    length_after: Maybe;
    distance: Maybe;
    degrees: Maybe;
  };
}

export interface MicroscopeAnswer {
  step: number;
  text: MicroscopeText;
  operations: MicroscopeOperations;
  linear: LinearOutput;
  river: MicroscopeRiver;
  row: RowUpdate;
  whole: {
    parameters: number;
    moved: number;
    share: number;
    cosine: Maybe;
    /** Angle between the update and the gradient reversed. */
    degrees: Maybe;
    rows_moved: number;
    rows: number;
    right_guesses: { positions: number; of: number; gradient_share: Maybe };
  };
  /** True if the digest of the step is the recorded one; null where there is no record. */
  check: { digest: string; recorded: string | null; equal: boolean | null };
  replayed: Replayed;
}
