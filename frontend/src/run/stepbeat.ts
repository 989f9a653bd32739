/** What the page shows of the one step that is the beat, from a pulse or from the record. Pure. */

import type { Pulse } from "../wire/frames";
import type { StepDetail } from "../wire/rest";

export interface StepBeat {
  attempt: number;
  step: number;
  loss: number;
  /** Rows of the batch, and the norm of each one's gradient (0 where it got none). */
  ids: Uint32Array;
  norms: Float32Array;
  layerNorms: number[];
  rows: { batch: number; gradient: number; moved: number };
  verified: boolean;
  /** Milliseconds the light shall last. */
  lasting: number;
  /** When its bytes had been decoded, Unix ms; null for a beat from the record. */
  decodedAt: number | null;
}

export function beatOfPulse(pulse: Pulse, lasting: number, decodedAt: number): StepBeat {
  return {
    attempt: pulse.attempt,
    step: pulse.step,
    loss: pulse.loss,
    ids: pulse.batchIds,
    norms: normsOf(pulse.batchIds, pulse.gradientIds, pulse.gradientNorms),
    layerNorms: Array.from(pulse.layerNorms),
    rows: {
      batch: pulse.batchIds.length,
      gradient: pulse.gradientIds.length,
      moved: pulse.movedIds.length,
    },
    verified: pulse.verified,
    lasting,
    decodedAt,
  };
}

export function beatOfRecord(detail: StepDetail, lasting: number): StepBeat {
  const ids = Uint32Array.from(new Set(detail.tokens.flat())).sort();
  const norm = new Map(detail.gradient);
  return {
    attempt: detail.attempt,
    step: detail.step,
    loss: detail.loss,
    ids,
    norms: Float32Array.from(ids, (id) => norm.get(id) ?? 0),
    layerNorms: detail.layer_norms,
    rows: {
      batch: detail.batch_rows,
      gradient: detail.gradient_rows,
      moved: detail.moved_rows,
    },
    verified: false,
    lasting,
    decodedAt: null,
  };
}

/** The norms of `wanted` rows out of a sorted list of rows with norms. */
function normsOf(wanted: Uint32Array, ids: Uint32Array, norms: Float32Array): Float32Array {
  if (wanted === ids) return norms;
  const out = new Float32Array(wanted.length);
  let at = 0;
  for (let i = 0; i < wanted.length; i++) {
    while (at < ids.length && ids[at]! < wanted[i]!) at += 1;
    if (ids[at] === wanted[i]) out[i] = norms[at]!;
  }
  return out;
}
