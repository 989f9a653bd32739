/** The light of one step as the page shows it. Pure. */

import type { Beat } from "../api/beat-frames";

/** A light of the map: rows that are lit for a while. */
export interface Light {
  step: number;
  ids: Uint32Array;
  /** Gradient norm by row of `ids`: 0 without a gradient, NaN if not known. */
  norms: Float32Array;
  /** Milliseconds until it has faded. */
  duration: number;
  /** True to skip its rise, as while scrubbing. */
  atOnce?: boolean;
}

/** The light of a training step: the rows of its batch. */
export interface StepLight extends Light {
  attempt: number;
  loss: number;
  layerNorms: number[];
  /** Sizes of the sets of rows; null if not recorded. */
  rows: { batch: number | null; gradient: number | null; moved: number | null };
  /** Rows that moved without being in the batch; null if not known. */
  drifting: number | null;
  /** Set if the moved rows were found by comparing the whole matrix. */
  verified: boolean;
  /** When the beat was decoded, Unix ms; null for one from the record. */
  decodedAt: number | null;
}

/** The light of words that the model generates. It stays until another light replaces it. */
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
 * Return the sizes of the sets. An empty set may mean a missing record: every step reads something, a step
 * without gradients has layer norms of 0, and without moved rows the whole matrix was compared.
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
