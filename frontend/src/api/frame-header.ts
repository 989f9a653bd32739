/** The header of every frame of `docs/wire.md`, and the view of layout frames. */

import { BinaryReader, FrameError } from "./binary-reader";

const VERSION = 1;
const HEADER = 24;
export const MAX_VOCABULARY = 1 << 22;

export interface FrameHeader {
  attempt: number;
  /** Number of updates before this state. */
  step: number;
  /** Unix seconds. */
  time: number;
  vocabulary: number;
}

/** The view: the fixed linear one, or the map, called umap for every method. */
export type LayoutMethod = "linear" | "umap";

const DRAWN_BY = ["linear", "umap", "refit", "pca"] as const;

/** View and origin of a layout. */
export interface LayoutView {
  method: LayoutMethod;
  drawnBy: (typeof DRAWN_BY)[number];
}

/** Read the header of a frame; the size of its vocabulary is not known yet. Throws `FrameError`. */
export function readHeader(cursor: BinaryReader) {
  if (cursor.remaining < HEADER) throw new FrameError(`only ${cursor.remaining} bytes`);
  if (cursor.u32() !== 0x504d414c) throw new FrameError("not a Lamplighter frame");
  const version = cursor.u8();
  if (version !== VERSION) throw new FrameError(`frame version ${version}; this page reads 1`);
  const kind = cursor.u8();
  const flags = cursor.u16();
  const [attempt, step, time] = [cursor.u32(), cursor.u32(), cursor.f64()];
  const header: FrameHeader = { attempt, step, time, vocabulary: 0 };
  return { kind, flags, header };
}

/** Read the method of a layout. Throws `FrameError`. */
export function readView(cursor: BinaryReader): LayoutView {
  const method = cursor.u8();
  const drawnBy = DRAWN_BY[method];
  if (drawnBy === undefined) throw new FrameError(`unknown layout method: ${method}`);
  cursor.skip(3);
  return { method: drawnBy === "linear" ? "linear" : "umap", drawnBy };
}
