/**
 * Beats: one training step, and the counts of the steps since the previous beat. A live stream sends beats;
 * the record has one pulse per step, which is read as the beat of that step (`docs/wire.md`, kinds 1 and 6).
 *
 * Mirrors `beat_frames.py` and `pulse_frames.py` of `backend/lamplighter/wire/`; both read the golden frames
 * under `tests/golden`.
 */

import { BinaryReader, FrameError, allIds, checkAscending, checkLimit } from "./binary-reader";
import { MAX_VOCABULARY, type FrameHeader } from "./frame-header";

const UNKNOWN = 0xffffffff;

/** Rows in the batches of the steps between two beats, sorted by token id. */
export interface StepsBetween {
  ids: Uint32Array;
  /** Number of these steps with the row in their batch. */
  touches: Uint32Array;
  /** The last of these steps with the row in its batch. */
  lastLit: Uint32Array;
  /** Norm of the last gradient of each row in these steps, 0 without one; null if the norms are left out. */
  norms: Float32Array | null;
}

/** One training step, with the steps since the previous beat. */
export interface Beat extends FrameHeader {
  kind: "beat";
  /** First step since the previous beat; equal to `step` if there is none in between. */
  firstStep: number;
  /** Mean cross-entropy of the batch, nats per token. */
  loss: number;
  learningRate: number;
  tokensPerSecond: number;
  stepSeconds: number;
  observeSeconds: number;
  batchIds: Uint32Array;
  batchCounts: Uint32Array;
  /**
   * Euclidean norm of the gradient of each row of the batch, 0 for a row without one: before clipping in a
   * run trained here, otherwise as recorded.
   */
  gradientNorms: Float32Array;
  /** Gradient norm by layer, in the order of the run's `layers`. */
  layerNorms: Float32Array;
  gradientRows: number;
  movedRows: number;
  /** Rows that moved without being in the batch; null if not every row was checked. */
  driftingRows: number | null;
  between: StepsBetween;
  /** Set if rows outside the batch got gradients whose norms are not included. */
  elsewhere: boolean;
  /**
   * All rows with a gradient in this step, sorted, and its norms, if rows outside the batch had one; null if
   * not known.
   */
  gradients: { ids: Uint32Array; norms: Float32Array } | null;
}

/** Decode a beat from the bytes after the header. Throws `FrameError`. */
export function decodeBeat(cursor: BinaryReader, flags: number, header: FrameHeader): Beat {
  const { step } = header;
  const firstStep = cursor.u32();
  const vocabulary = checkLimit(cursor.u32(), MAX_VOCABULARY, "vocabulary");
  const batch = checkLimit(cursor.u32(), vocabulary, "rows in the batch set");
  const gradientRows = checkLimit(cursor.u32(), vocabulary, "rows in the gradient set");
  const movedRows = checkLimit(cursor.u32(), vocabulary, "rows in the moved set");
  const drifting = cursor.u32();
  const layers = cursor.u32();
  const rows = checkLimit(cursor.u32(), vocabulary, "rows between");
  if (firstStep > step) throw new FrameError("the first step comes after the step");
  const known = drifting !== UNKNOWN;
  if (known !== ((flags & 1) === 1) || (known && drifting > movedRows)) {
    throw new FrameError("the rows that drifted contradict the rest");
  }
  const figures = readFigures(cursor);
  return {
    kind: "beat",
    ...header,
    vocabulary,
    firstStep,
    ...figures,
    batchIds: readGaps(cursor, batch, vocabulary),
    batchCounts: readU32s(cursor, batch),
    gradientNorms: readF32s(cursor, batch),
    layerNorms: readF32s(cursor, layers),
    gradientRows,
    movedRows,
    driftingRows: known ? drifting : null,
    between: {
      ids: readGaps(cursor, rows, vocabulary),
      touches: readSteps(cursor, rows, step - firstStep),
      lastLit: readSteps(cursor, rows, step - firstStep).map((ago) => step - ago),
      norms: flags & 2 ? readF32s(cursor, rows) : null,
    },
    elsewhere: (flags & 4) !== 0,
    gradients: null,
  };
}

/** Read the figures of a step that pulses and beats have in common. */
function readFigures(cursor: BinaryReader) {
  const loss = cursor.f32();
  const learningRate = cursor.f32();
  const tokensPerSecond = cursor.f32();
  const stepSeconds = cursor.f32();
  const observeSeconds = cursor.f32();
  cursor.skip(4);
  return { loss, learningRate, tokensPerSecond, stepSeconds, observeSeconds };
}

const NO_ROWS = new Uint32Array(0);
/** The empty set, for consecutive beats. */
const NOTHING_BETWEEN: StepsBetween = {
  ids: NO_ROWS,
  touches: NO_ROWS,
  lastLit: NO_ROWS,
  norms: new Float32Array(0),
};

/** Decode a pulse from the bytes after the header, as the beat of its step. Throws `FrameError`. */
export function decodePulse(cursor: BinaryReader, flags: number, header: FrameHeader): Beat {
  const firstStep = cursor.u32();
  const vocabulary = checkLimit(cursor.u32(), MAX_VOCABULARY, "vocabulary");
  const batch = checkLimit(cursor.u32(), vocabulary, "rows in the batch set");
  const gradient = checkLimit(cursor.u32(), vocabulary, "rows in the gradient set");
  const moved = checkLimit(cursor.u32(), vocabulary, "rows in the moved set");
  const layers = cursor.u32();
  const figures = readFigures(cursor);
  // Steps merged for a slow viewer belong to another stream.
  if (flags & 1 || firstStep !== header.step) throw new FrameError("a pulse of several steps");
  const batchIds = checkAscending(cursor.u32s(batch), vocabulary);
  const batchCounts = cursor.u32s(batch);
  const ids = decodeSet(cursor, (flags >> 1) & 3, gradient, batchIds, vocabulary);
  const norms = cursor.f32s(gradient);
  const movedIds = decodeSet(cursor, (flags >> 3) & 3, moved, batchIds, vocabulary);
  // How far each row moved is requested where it is shown.
  cursor.skip(4 * moved);
  return {
    kind: "beat",
    ...header,
    vocabulary,
    firstStep,
    ...figures,
    batchIds,
    batchCounts,
    gradientNorms: selectNorms(batchIds, ids, norms),
    layerNorms: cursor.f32s(layers),
    gradientRows: gradient,
    movedRows: moved,
    driftingRows: flags & 32 ? countOutside(movedIds, batchIds) : null,
    between: NOTHING_BETWEEN,
    elsewhere: false,
    gradients: countOutside(ids, batchIds) ? { ids, norms } : null,
  };
}

function decodeSet(
  cursor: BinaryReader,
  encoding: number,
  count: number,
  batchIds: Uint32Array,
  vocabulary: number,
): Uint32Array {
  if (encoding === 0) return checkAscending(cursor.u32s(count), vocabulary);
  if (encoding === 1) {
    if (count !== batchIds.length)
      throw new FrameError("a set like the batch's must be as large as the batch's");
    return batchIds;
  }
  if (encoding === 2) {
    if (count !== vocabulary) throw new FrameError("a set of all rows must have every row");
    return allIds(vocabulary);
  }
  throw new FrameError(`unknown encoding of a set: ${encoding}`);
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

/** Read unsigned integers from four byte planes, lowest bytes first. */
function readU32s(cursor: BinaryReader, count: number): Uint32Array {
  const planes = cursor.u8s(4 * count);
  const numbers = new Uint32Array(count);
  const bytes = new Uint8Array(numbers.buffer);
  // Every system that runs a browser is little-endian.
  for (let i = 0; i < bytes.length; i++) bytes[i] = planes[(i & 3) * count + (i >> 2)]!;
  return numbers;
}

function readF32s(cursor: BinaryReader, count: number): Float32Array {
  return new Float32Array(readU32s(cursor, count).buffer);
}

/** Read sorted, distinct ids from their differences. */
function readGaps(cursor: BinaryReader, count: number, vocabulary: number): Uint32Array {
  let id = 0;
  return readU32s(cursor, count).map((gap, i) => {
    id += gap;
    if (id >= vocabulary || (i > 0 && !gap)) {
      throw new FrameError("token ids must be distinct, sorted and below the vocabulary's size");
    }
    return id;
  });
}

/** Read step counts, each from 1 to `most`. */
function readSteps(cursor: BinaryReader, count: number, most: number): Uint32Array {
  const steps = readU32s(cursor, count);
  for (const number of steps) {
    if (number < 1 || number > most) {
      throw new FrameError("rows between two beats were lit in steps that are not between them");
    }
  }
  return steps;
}
