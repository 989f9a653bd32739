/**
 * Decoding of the frames of `docs/wire.md`: bytes in, typed-array views out.
 *
 * Mirrors `backend/lamplighter/wire/`; both read the golden frames under `tests/golden`. It reads single
 * frames; sockets are in `connection.ts`, and grid layouts in `grid-frames.ts`.
 */

import { decodeBeat, decodePulse, type Beat } from "./beat-frames";
import {
  allIds,
  checkAscending,
  BinaryReader,
  FrameError,
  checkLimit,
  utf8,
} from "./binary-reader";
import type { GridChange, GridLayout } from "./grid-frames";
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
  /** Trust in each token's neighbourhood, 255 for full trust; null if not computed. */
  byToken: Uint8Array | null;
}

/** Clusters of the embedding at one step. */
export interface Districts extends FrameHeader {
  kind: "districts";
  /** Ascending from 1; a district keeps its id for its lifetime. */
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

export type Frame = Beat | Layout | Rows | Census | Districts | GridLayout | GridChange;

/** Decode one frame; its arrays are views of `data`. Throws `FrameError` for anything else. */
export function decode(data: ArrayBuffer): Frame {
  const cursor = new BinaryReader(data);
  const frame = decodeNext(cursor);
  if (cursor.offset !== data.byteLength) {
    throw new FrameError(`${data.byteLength - cursor.offset} bytes too many`);
  }
  return frame;
}

/** Decode consecutive frames; their arrays are views of `data`. Throws `FrameError`. */
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
    case 6:
      return decodeBeat(cursor, flags, header);
    default:
      throw new FrameError(`unknown kind of frame: ${kind}`);
  }
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
