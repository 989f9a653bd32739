/**
 * Decoding of the frames of `docs/wire.md`: bytes in, typed-array views out.
 *
 * Mirrors `backend/lamplighter/wire/`; both read the golden frames under `tests/golden`.
 * It reads single frames; sockets are in `connection.ts`. Frames that only a class is sent are in `class-frames.ts`.
 */

import { checkAscending, BinaryReader, FrameError, checkLimit, utf8 } from "./binary-reader";
import type { ClassBeat, GridChange, GridLayout } from "./class-frames";
import {
  MAX_VOCABULARY,
  readHeader,
  readView,
  type FrameHeader,
  type LayoutView,
} from "./frame-header";

/** Value of `Census.lastLit` for a row that no batch has touched. */
export const NEVER = 0xffffffff;

const MAX_DIM = 1 << 14;
const MAX_DISTRICTS = 0xfffe;
const MAX_TEXT_BYTES = 1 << 22;

export type { LayoutMethod } from "./frame-header";

/**
 * One step's changes, or several steps merged for a viewer who fell behind (`firstStep < step`).
 */
export interface Pulse extends FrameHeader {
  kind: "pulse";
  firstStep: number;
  merged: boolean;
  /** Set when the moved rows were found by comparing the whole matrix. */
  verified: boolean;
  /** Mean cross-entropy of the batch, nats a token. */
  loss: number;
  learningRate: number;
  tokensPerSecond: number;
  stepSeconds: number;
  observeSeconds: number;
  batchIds: Uint32Array;
  batchCounts: Uint32Array;
  gradientIds: Uint32Array;
  /** Euclidean norm of each row's gradient: before clipping in a run trained here, otherwise as its loop gave it. */
  gradientNorms: Float32Array;
  movedIds: Uint32Array;
  movedDistances: Float32Array;
  /** Gradient norm by layer, in the order of the run's `layers`. */
  layerNorms: Float32Array;
}

/** Positions of the tokens at one step: x = x0 + (x1 - x0) * places[2 * id] / 65535. */
export interface Layout extends FrameHeader, LayoutView {
  kind: "layout";
  x0: number;
  x1: number;
  y0: number;
  y1: number;
  /** Trustworthiness on a sample; NaN when not estimated. */
  trust: number;
  trustError: number;
  recall: number;
  sample: number;
  places: Uint16Array;
  /** Trust in each token's own surroundings, 255 for full trust; null when not computed. */
  byToken: Uint8Array | null;
}

/** Clusters of the space at one step. */
export interface Districts extends FrameHeader {
  kind: "districts";
  /** Ascending from 1; a district keeps its id as long as it lives. */
  ids: Uint32Array;
  /** By index into `ids`. Hostile: show with `printableToken`. */
  names: string[];
  /** By token id: the index into `ids`, plus one; 0 for a token in no district. */
  of: Uint16Array;
}

/** Vectors of some rows, or of all. */
export interface Rows extends FrameHeader {
  kind: "rows";
  dim: number;
  whole: boolean;
  tokenIds: Uint32Array;
  vectors: Float32Array;
}

/** How often, and when last, each row was in a batch. */
export interface Census extends FrameHeader {
  kind: "census";
  touches: Uint32Array;
  /** Step; `NEVER` where no batch has touched the row. */
  lastLit: Uint32Array;
}

export type Frame =
  Pulse | Layout | Rows | Census | Districts | ClassBeat | GridLayout | GridChange;

/** Decode one frame; its arrays are views on `data`. Throws `FrameError` for anything else. */
export function decode(data: ArrayBuffer): Frame {
  const cursor = new BinaryReader(data);
  const frame = decodeNext(cursor);
  if (cursor.offset !== data.byteLength) {
    throw new FrameError(`${data.byteLength - cursor.offset} bytes too many`);
  }
  return frame;
}

/** Decode consecutive frames; their arrays are views on `data`. Throws `FrameError`. */
export function decodeAll(data: ArrayBuffer): Frame[] {
  const cursor = new BinaryReader(data);
  const frames: Frame[] = [];
  while (cursor.offset < data.byteLength) frames.push(decodeNext(cursor));
  return frames;
}

function decodeNext(cursor: BinaryReader): Frame {
  const { kind, flags, header } = readHeader(cursor);
  return decodeBody(kind, cursor, flags, header);
}

function decodeBody(kind: number, cursor: BinaryReader, flags: number, header: FrameHeader): Frame {
  switch (kind) {
    case 1:
      return decodePulse(cursor, flags, header);
    case 2:
      return decodeLayout(cursor, flags, header);
    case 3:
      return decodeRows(cursor, flags, header);
    case 4: {
      header.vocabulary = checkLimit(cursor.u32(), MAX_VOCABULARY, "vocabulary");
      cursor.skip(4);
      const touches = cursor.u32s(header.vocabulary);
      return { kind: "census", ...header, touches, lastLit: cursor.u32s(header.vocabulary) };
    }
    case 5:
      return decodeDistricts(cursor, header);
    default:
      throw new FrameError(`unknown kind of frame: ${kind}`);
  }
}

function decodePulse(cursor: BinaryReader, flags: number, header: FrameHeader): Pulse {
  const firstStep = cursor.u32();
  const vocabulary = checkLimit(cursor.u32(), MAX_VOCABULARY, "vocabulary");
  const batch = checkLimit(cursor.u32(), vocabulary, "rows in the batch set");
  const gradient = checkLimit(cursor.u32(), vocabulary, "rows in the gradient set");
  const moved = checkLimit(cursor.u32(), vocabulary, "rows in the moved set");
  const layers = cursor.u32();
  const loss = cursor.f32();
  const learningRate = cursor.f32();
  const tokensPerSecond = cursor.f32();
  const stepSeconds = cursor.f32();
  const observeSeconds = cursor.f32();
  cursor.skip(4);
  const merged = (flags & 1) === 1;
  if (firstStep > header.step || merged !== (firstStep !== header.step)) {
    throw new FrameError("the first of the merged steps contradicts the rest");
  }
  const batchIds = checkAscending(cursor.u32s(batch), vocabulary);
  const batchCounts = cursor.u32s(batch);
  const gradientIds = decodeSet(cursor, (flags >> 1) & 3, gradient, batchIds, vocabulary);
  const gradientNorms = cursor.f32s(gradient);
  const movedIds = decodeSet(cursor, (flags >> 3) & 3, moved, batchIds, vocabulary);
  const movedDistances = cursor.f32s(moved);
  const layerNorms = cursor.f32s(layers);
  return {
    kind: "pulse",
    ...header,
    vocabulary,
    firstStep,
    merged,
    verified: (flags & 32) !== 0,
    loss,
    learningRate,
    tokensPerSecond,
    stepSeconds,
    observeSeconds,
    batchIds,
    batchCounts,
    gradientIds,
    gradientNorms,
    movedIds,
    movedDistances,
    layerNorms,
  };
}

function decodeLayout(cursor: BinaryReader, flags: number, header: FrameHeader): Layout {
  const vocabulary = checkLimit(cursor.u32(), MAX_VOCABULARY, "vocabulary");
  const view = readView(cursor);
  const [x0, x1, y0, y1] = [cursor.f32(), cursor.f32(), cursor.f32(), cursor.f32()];
  if (![x0, x1, y0, y1].every(Number.isFinite)) {
    throw new FrameError("the layout's bounds are not finite");
  }
  const layout: Layout = {
    kind: "layout",
    ...header,
    vocabulary,
    ...view,
    x0,
    x1,
    y0,
    y1,
    trust: cursor.f32(),
    trustError: cursor.f32(),
    recall: cursor.f32(),
    sample: cursor.u32(),
    places: cursor.u16s(2 * vocabulary),
    byToken: null,
  };
  if (flags & 1) {
    layout.byToken = cursor.u8s(vocabulary);
    cursor.skipPadding();
  }
  return layout;
}

function decodeDistricts(cursor: BinaryReader, header: FrameHeader): Districts {
  const vocabulary = checkLimit(cursor.u32(), MAX_VOCABULARY, "vocabulary");
  const count = checkLimit(cursor.u32(), Math.min(vocabulary, MAX_DISTRICTS), "districts");
  const length = checkLimit(cursor.u32(), MAX_TEXT_BYTES, "bytes of names");
  cursor.skip(4);
  const ids = cursor.u32s(count);
  ids.forEach((id, i) => {
    if (id <= (i ? ids[i - 1]! : 0)) {
      throw new FrameError("ids of districts must be distinct, sorted and above 0");
    }
  });
  const of = cursor.u16s(vocabulary);
  cursor.skipPadding();
  for (const place of of) {
    if (place > count) throw new FrameError("a token names a district that does not exist");
  }
  const text = utf8(cursor.u8s(length));
  cursor.skipPadding();
  const names = count ? text.split("\n") : [];
  if (names.length !== count || (!count && text)) {
    throw new FrameError("the number of names differs from the number of districts");
  }
  return { kind: "districts", ...header, vocabulary, ids, names, of };
}

function decodeRows(cursor: BinaryReader, flags: number, header: FrameHeader): Rows {
  const vocabulary = checkLimit(cursor.u32(), MAX_VOCABULARY, "vocabulary");
  const dim = checkLimit(cursor.u32(), MAX_DIM, "dim");
  const count = checkLimit(cursor.u32(), vocabulary, "rows");
  cursor.skip(4);
  const whole = (flags & 1) === 1;
  if (whole && count !== vocabulary) throw new FrameError("a whole matrix must have every row");
  const listed = whole ? null : checkAscending(cursor.u32s(count), vocabulary);
  const vectors = cursor.f32s(count * dim);
  const tokenIds = listed ?? allIds(vocabulary);
  return { kind: "rows", ...header, vocabulary, dim, whole, tokenIds, vectors };
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

function allIds(vocabulary: number): Uint32Array {
  const ids = new Uint32Array(vocabulary);
  for (let id = 0; id < vocabulary; id++) ids[id] = id;
  return ids;
}
