/**
 * Frames that only a class is sent: beats, and layouts on a 12-bit grid (`docs/wire.md`, kinds 6 to 8).
 *
 * Mirrors `beat_frames.py` and `grid_frames.py` of `backend/lamplighter/wire/`; both read the golden frames under
 * `tests/golden`. Every other kind is in `frames.ts`.
 */

import { BinaryReader, FrameError, checkLimit } from "./binary-reader";
import {
  MAX_VOCABULARY,
  readHeader,
  readView,
  type FrameHeader,
  type LayoutView,
} from "./frame-header";

const UNKNOWN = 0xffffffff;
/** Steps of the grid on each axis. */
export const GRID_STEPS = 4_095;

/** Rows in the batches of the steps between two beats, sorted by token id. */
export interface StepsBetween {
  ids: Uint32Array;
  /** Steps with the row in their batch. */
  touches: Uint32Array;
  /** The last of these steps. */
  lastLit: Uint32Array;
  /** Norm of the last gradient of each row in these steps, 0 if it got none; null if they are left out. */
  norms: Float32Array | null;
}

/** One step as a class sees it, with the steps since the beat before. */
export interface ClassBeat extends FrameHeader {
  kind: "beat";
  /** First step since the beat before; equal to `step` if there is none in between. */
  firstStep: number;
  /** Mean cross-entropy of the batch, nats a token. */
  loss: number;
  learningRate: number;
  tokensPerSecond: number;
  stepSeconds: number;
  observeSeconds: number;
  batchIds: Uint32Array;
  batchCounts: Uint32Array;
  /** Norm of the gradient of each row of the batch, as in a pulse; 0 for a row that got none. */
  gradientNorms: Float32Array;
  /** Gradient norm by layer, in the order of the run's `layers`. */
  layerNorms: Float32Array;
  gradientRows: number;
  movedRows: number;
  /** Rows that moved without being in the batch; null if not every row was looked at. */
  driftingRows: number | null;
  between: StepsBetween;
  /** Set if rows outside their batch got gradients, whose norms are not told. */
  elsewhere: boolean;
}

interface GridFrame extends FrameHeader, LayoutView {
  /** Number among the layouts of its view. */
  number: number;
  /** Trustworthiness on a sample; NaN when not estimated. */
  trust: number;
  trustError: number;
  recall: number;
  sample: number;
  byToken: Uint8Array | null;
}

/** A layout on a grid: x = x0 + (x1 - x0) * places[2 * id] / `GRID_STEPS`. */
export interface GridLayout extends GridFrame {
  kind: "grid-layout";
  x0: number;
  x1: number;
  y0: number;
  y1: number;
  places: Uint16Array;
}

/** A layout on a grid as its difference from an earlier one. */
export interface GridChange extends GridFrame {
  kind: "grid-change";
  /** Number of the layout that the differences start from. */
  base: number;
  /** Differences of the places. */
  moves: Int16Array;
  /** Set if `byToken` has differences modulo 256. */
  fromBase: boolean;
}

/** Decode one frame of a kind that only a class is sent. Throws `FrameError` for anything else. */
export function decodeClassFrame(data: ArrayBuffer): ClassBeat | GridLayout | GridChange {
  const cursor = new BinaryReader(data);
  const { kind, flags, header } = readHeader(cursor);
  const frame = decodeBody(kind, cursor, flags, header);
  if (cursor.remaining) throw new FrameError(`${cursor.remaining} bytes too many`);
  return frame;
}

function decodeBody(kind: number, cursor: BinaryReader, flags: number, header: FrameHeader) {
  switch (kind) {
    case 6:
      return decodeBeat(cursor, flags, header);
    case 7:
      return decodeGridLayout(cursor, flags, header);
    case 8:
      return decodeGridChange(cursor, flags, header);
    default:
      throw new FrameError(`unknown kind of frame: ${kind}`);
  }
}

function decodeBeat(cursor: BinaryReader, flags: number, header: FrameHeader): ClassBeat {
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
  const loss = cursor.f32();
  const learningRate = cursor.f32();
  const tokensPerSecond = cursor.f32();
  const stepSeconds = cursor.f32();
  const observeSeconds = cursor.f32();
  cursor.skip(4);
  return {
    kind: "beat",
    ...header,
    vocabulary,
    firstStep,
    loss,
    learningRate,
    tokensPerSecond,
    stepSeconds,
    observeSeconds,
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
  };
}

function decodeGridLayout(cursor: BinaryReader, flags: number, header: FrameHeader): GridLayout {
  const vocabulary = checkLimit(cursor.u32(), MAX_VOCABULARY, "vocabulary");
  const view = readView(cursor);
  const number = cursor.u32();
  const [x0, x1, y0, y1] = [cursor.f32(), cursor.f32(), cursor.f32(), cursor.f32()];
  if (![x0, x1, y0, y1].every(Number.isFinite)) {
    throw new FrameError("the grid's bounds are not finite");
  }
  const quality = readQuality(cursor);
  const low = cursor.u8s(2 * vocabulary);
  const high = cursor.u8s(vocabulary);
  const places = new Uint16Array(2 * vocabulary);
  for (let id = 0; id < vocabulary; id++) {
    places[2 * id] = low[id]! | ((high[id]! & 15) << 8);
    places[2 * id + 1] = low[vocabulary + id]! | ((high[id]! >> 4) << 8);
  }
  const byToken = readTrust(cursor, flags, vocabulary);
  const found = { ...header, vocabulary, ...view, number, ...quality, byToken };
  return { kind: "grid-layout", ...found, x0, x1, y0, y1, places };
}

function decodeGridChange(cursor: BinaryReader, flags: number, header: FrameHeader): GridChange {
  const vocabulary = checkLimit(cursor.u32(), MAX_VOCABULARY, "vocabulary");
  const view = readView(cursor);
  const number = cursor.u32();
  const base = cursor.u32();
  const quality = readQuality(cursor);
  const planes = cursor.u8s(4 * vocabulary);
  const moves = new Int16Array(2 * vocabulary);
  for (let i = 0; i < moves.length; i++) {
    const zigzag = planes[i]! | (planes[moves.length + i]! << 8);
    checkLimit(zigzag, 2 * GRID_STEPS, "a difference");
    // The planes have all x first, then all y.
    moves[i < vocabulary ? 2 * i : 2 * (i - vocabulary) + 1] = (zigzag >> 1) ^ -(zigzag & 1);
  }
  const byToken = readTrust(cursor, flags, vocabulary);
  const fromBase = (flags & 2) !== 0;
  if (fromBase && !byToken) throw new FrameError("the flags contradict each other");
  const found = { ...header, vocabulary, ...view, number, ...quality, byToken };
  return { kind: "grid-change", ...found, base, moves, fromBase };
}

function readQuality(cursor: BinaryReader) {
  const [trust, trustError, recall] = [cursor.f32(), cursor.f32(), cursor.f32()];
  return { trust, trustError, recall, sample: cursor.u32() };
}

function readTrust(cursor: BinaryReader, flags: number, vocabulary: number): Uint8Array | null {
  const byToken = flags & 1 ? cursor.u8s(vocabulary) : null;
  cursor.skipPadding();
  return byToken;
}

/** Read unsigned integers from four planes of bytes: all lowest ones first. */
function readU32s(cursor: BinaryReader, count: number): Uint32Array {
  const planes = cursor.u8s(4 * count);
  const numbers = new Uint32Array(count);
  const bytes = new Uint8Array(numbers.buffer);
  // Every system that browsers run on has the lowest byte first.
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

/** Read numbers of steps, each from 1 to `most`. */
function readSteps(cursor: BinaryReader, count: number, most: number): Uint32Array {
  const steps = readU32s(cursor, count);
  for (const number of steps) {
    if (number < 1 || number > most) {
      throw new FrameError("rows between two beats were lit in steps that are not between them");
    }
  }
  return steps;
}
