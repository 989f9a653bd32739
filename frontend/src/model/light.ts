/** The light of one step as the page shows it. Pure. */

import type { Beat } from "../api/beat-frames";

/** A light of the map: rows that shine for a while. */
export interface Light {
  step: number;
  ids: Uint32Array;
  /** Gradient norm by row of `ids`: 0 where it got none, NaN where not known. */
  norms: Float32Array;
  /** Milliseconds until it has faded. */
  duration: number;
  /** True to skip its rise, as during a scrub. */
  atOnce?: boolean;
}

/** The light of a training step: the rows of its batch are lit. */
export interface StepLight extends Light {
  attempt: number;
  loss: number;
  layerNorms: number[];
  /** Sizes of the sets of rows; null where one is not recorded. */
  rows: { batch: number | null; gradient: number | null; moved: number | null };
  /** Rows that moved though they were not in the batch; null where not known. */
  drifting: number | null;
  /** Set when the moved rows were found by comparing the whole matrix. */
  verified: boolean;
  /** When the beat was decoded, Unix ms; null for one from the record. */
  decodedAt: number | null;
}

/** The light of words that the model says, in place of that of a step. It stays until another takes its place. */
export type SpokenLight = Light & { said: true };

/** Return the light of a beat. */
export function lightOfBeat(beat: Beat, duration: number, decodedAt: number | null): StepLight {
  const { attempt, step, loss, batchIds, gradientNorms, layerNorms, driftingRows } = beat;
  const verified = driftingRows !== null;
  const rows = knownRows(batchIds.length, beat.gradientRows, beat.movedRows, layerNorms, verified);
  return {
    ...{ attempt, step, loss, ids: batchIds, rows, verified, duration, decodedAt },
    norms: rows.gradient === null ? new Float32Array(batchIds.length).fill(NaN) : gradientNorms,
    layerNorms: Array.from(layerNorms),
    drifting: rows.batch === null ? null : driftingRows,
  };
}

/**
 * Return the sizes of the sets. An empty one may be one that nobody recorded: every step reads something, where no row got a
 * gradient the layers have norms of 0, and where none moved the whole matrix was compared.
 */
function knownRows(
  batch: number,
  gradient: number,
  moved: number,
  layerNorms: Float32Array,
  verified: boolean,
): StepLight["rows"] {
  return {
    batch: batch || null,
    gradient: gradient || (layerNorms.some(Number.isFinite) ? 0 : null),
    moved: moved || (verified ? 0 : null),
  };
}
