/** The beat of one step as the page shows it, from a pulse or a beat of a class. Pure. */

import type { ClassBeat } from "../api/class-frames";
import type { Pulse } from "../api/frames";

export interface StepBeat {
  attempt: number;
  step: number;
  loss: number;
  /** Rows of the batch, and the norm of each one's gradient: 0 where it got none, NaN where not known. */
  ids: Uint32Array;
  norms: Float32Array;
  layerNorms: number[];
  /** Sizes of the sets of rows; null where one is not recorded. */
  rows: { batch: number | null; gradient: number | null; moved: number | null };
  /** Rows that moved though they were not in the batch; null where not known. */
  drifting: number | null;
  /** Set when the moved rows were found by comparing the whole matrix. */
  verified: boolean;
  /** Duration of the light, ms. */
  duration: number;
  /** Set during a scrub: the light is there at once, without fading in. */
  atOnce?: boolean;
  /** When the frame was decoded, Unix ms; null for a beat from the record. */
  decodedAt: number | null;
}

/** The light of words that the model says, in place of the beat of a step. It stays until another takes its place. */
export type SpokenBeat = Pick<StepBeat, "step" | "ids" | "norms" | "duration"> & { said: true };

/** Return the beat of a step that a pulse tells, or a beat of a class. */
export function beatFromFrame(
  frame: Pulse | ClassBeat,
  duration: number,
  decodedAt: number,
): StepBeat {
  return frame.kind === "pulse"
    ? beatFromPulse(frame, duration, decodedAt)
    : { ...beatFromClass(frame), duration, decodedAt };
}

function beatFromClass(beat: ClassBeat): Omit<StepBeat, "duration" | "decodedAt"> {
  const { attempt, step, loss, batchIds, gradientNorms, layerNorms, driftingRows } = beat;
  const verified = driftingRows !== null;
  const rows = knownRows(batchIds.length, beat.gradientRows, beat.movedRows, layerNorms, verified);
  return {
    ...{ attempt, step, loss, ids: batchIds, rows, verified },
    norms: rows.gradient === null ? unknownNorms(batchIds) : gradientNorms,
    layerNorms: Array.from(layerNorms),
    drifting: rows.batch === null ? null : driftingRows,
  };
}

export function beatFromPulse(pulse: Pulse, duration: number, decodedAt: number): StepBeat {
  const { batchIds, gradientIds, gradientNorms, movedIds, layerNorms, verified } = pulse;
  const rows = knownRows(
    batchIds.length,
    gradientIds.length,
    movedIds.length,
    layerNorms,
    verified,
  );
  return {
    attempt: pulse.attempt,
    step: pulse.step,
    loss: pulse.loss,
    ids: batchIds,
    norms:
      rows.gradient === null
        ? unknownNorms(batchIds)
        : selectNorms(batchIds, gradientIds, gradientNorms),
    layerNorms: Array.from(layerNorms),
    rows,
    drifting: verified && rows.batch !== null ? countOutside(movedIds, batchIds) : null,
    verified,
    duration,
    decodedAt,
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
): StepBeat["rows"] {
  return {
    batch: batch || null,
    gradient: gradient || (layerNorms.some(Number.isFinite) ? 0 : null),
    moved: moved || (verified ? 0 : null),
  };
}

function unknownNorms(ids: Uint32Array): Float32Array {
  return new Float32Array(ids.length).fill(NaN);
}

/** Count the `ids` that are not in `among`; both are sorted. */
function countOutside(ids: Uint32Array, among: Uint32Array): number {
  if (ids === among) return 0;
  let index = 0;
  let found = 0;
  for (const id of ids) {
    while (index < among.length && among[index]! < id) index += 1;
    if (among[index] !== id) found += 1;
  }
  return found;
}

/** Select the norms of `rows` from a sorted list of rows with norms. */
function selectNorms(rows: Uint32Array, ids: Uint32Array, norms: Float32Array): Float32Array {
  if (rows === ids) return norms;
  const out = new Float32Array(rows.length);
  let index = 0;
  for (let i = 0; i < rows.length; i++) {
    while (index < ids.length && ids[index]! < rows[i]!) index += 1;
    if (ids[index] === rows[i]) out[i] = norms[index]!;
  }
  return out;
}
