/** The beat of one step as the page shows it, from a pulse or from the record. Pure. */

import type { ClassBeat } from "../api/class-frames";
import type { Pulse } from "../api/frames";
import type { StepDetail } from "../api/rest-types";

export interface StepBeat {
  attempt: number;
  step: number;
  loss: number;
  /** Rows of the batch, and the norm of each one's gradient: 0 where it got none, NaN where not known. */
  ids: Uint32Array;
  norms: Float32Array;
  layerNorms: number[];
  rows: { batch: number; gradient: number; moved: number };
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
  return {
    ...{ attempt, step, loss, ids: batchIds, norms: gradientNorms },
    layerNorms: Array.from(layerNorms),
    rows: { batch: batchIds.length, gradient: beat.gradientRows, moved: beat.movedRows },
    drifting: driftingRows,
    verified: driftingRows !== null,
  };
}

export function beatFromPulse(pulse: Pulse, duration: number, decodedAt: number): StepBeat {
  return {
    attempt: pulse.attempt,
    step: pulse.step,
    loss: pulse.loss,
    ids: pulse.batchIds,
    norms: selectNorms(pulse.batchIds, pulse.gradientIds, pulse.gradientNorms),
    layerNorms: Array.from(pulse.layerNorms),
    rows: {
      batch: pulse.batchIds.length,
      gradient: pulse.gradientIds.length,
      moved: pulse.movedIds.length,
    },
    drifting: pulse.verified ? countOutside(pulse.movedIds, pulse.batchIds) : null,
    verified: pulse.verified,
    duration,
    decodedAt,
  };
}

export function beatFromRecord(detail: StepDetail, duration: number): StepBeat {
  const ids = Uint32Array.from(new Set(readTokens(detail))).sort();
  const norm = new Map(detail.gradient);
  // A long list holds only the strongest gradients: that of a row missing from it need not be 0.
  const rest = detail.gradient.length < detail.gradient_rows ? NaN : 0;
  return {
    attempt: detail.attempt,
    step: detail.step,
    loss: detail.loss ?? NaN,
    ids,
    norms: Float32Array.from(ids, (id) => (norm.has(id) ? (norm.get(id) ?? NaN) : rest)),
    layerNorms: detail.layer_norms.map((value) => value ?? NaN),
    rows: {
      batch: detail.batch_rows,
      gradient: detail.gradient_rows,
      moved: detail.moved_rows,
    },
    drifting: countDrifting(detail, ids),
    verified: detail.verified,
    duration,
    decodedAt: null,
  };
}

/**
 * Return the ids of the tokens that the model read; the last of each sequence is only a target.
 * Where the text is not kept, the rows with a gradient, or those that moved, take its place, unless
 * they are more than the batch had.
 */
function readTokens(detail: StepDetail): number[] {
  if (detail.tokens.length) return detail.tokens.flatMap((sequence) => sequence.slice(0, -1));
  const { batch_rows: most, gradient, gradient_rows, moved, moved_rows } = detail;
  if (gradient.length && gradient_rows <= most) return gradient.map(([id]) => id);
  return moved_rows <= most ? moved.map(([id]) => id) : [];
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

function countDrifting(detail: StepDetail, batch: Uint32Array): number | null {
  // A long list of moved rows is cut, and the batch may not be known in full.
  const { verified, moved, moved_rows, batch_rows } = detail;
  if (!verified || moved.length < moved_rows || batch.length !== batch_rows) return null;
  return countOutside(Uint32Array.from(moved, ([id]) => id).sort(), batch);
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
