/**
 * Frames that only a class and a file receive: layouts on a 12-bit grid (`docs/wire.md`, kinds 7 and 8).
 *
 * Mirrors `backend/lamplighter/wire/grid_frames.py`; both read the golden frames under `tests/golden`. All
 * other kinds are in `frames.ts`.
 */

import { BinaryReader, FrameError, checkLimit } from "./binary-reader";
import {
  MAX_VOCABULARY,
  readHeader,
  readView,
  type FrameHeader,
  type LayoutView,
} from "./frame-header";

/** Steps of the grid on each axis. */
export const GRID_STEPS = 4_095;

interface GridFrame extends FrameHeader, LayoutView {
  /** Number of the layout within its view. */
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

/** A grid layout as its difference from an earlier one. */
export interface GridChange extends GridFrame {
  kind: "grid-change";
  /** Number of the layout that the differences apply to. */
  base: number;
  /** Differences of the places, in grid steps. */
  moves: Int16Array;
  /** Set if `byToken` holds differences modulo 256. */
  fromBase: boolean;
}

/** Decode one grid layout. Throws `FrameError` for anything else. */
export function decodeGridFrame(data: ArrayBuffer): GridLayout | GridChange {
  const cursor = new BinaryReader(data);
  const { kind, flags, header } = readHeader(cursor);
  const frame = decodeBody(kind, cursor, flags, header);
  if (cursor.remaining) throw new FrameError(`${cursor.remaining} bytes too many`);
  return frame;
}

function decodeBody(kind: number, cursor: BinaryReader, flags: number, header: FrameHeader) {
  switch (kind) {
    case 7:
      return decodeGridLayout(cursor, flags, header);
    case 8:
      return decodeGridChange(cursor, flags, header);
    default:
      throw new FrameError(`unknown kind of frame: ${kind}`);
  }
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
    // The planes hold all x first, then all y.
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
