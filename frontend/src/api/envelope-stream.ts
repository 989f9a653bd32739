/** The stream of a run: envelopes of frames and texts; in a class, grid layouts build upon each other. */

import { decodeEnvelope } from "./envelope";
import type { Frame } from "./frames";
import { GridLayouts } from "./grid-layouts";
import type { SocketMessage } from "./rest-types";

/**
 * Return a function that opens the envelopes of one connection, in order; it rejects with `FrameError` for
 * anything else. A layout change without its base is dropped: a whole layout follows.
 */
export function openStream(): (data: ArrayBuffer) => Promise<(Frame | SocketMessage)[]> {
  const layouts = new GridLayouts();
  return async (data) =>
    (await decodeEnvelope(data)).flatMap((part) => {
      if ("type" in part) return part;
      const onGrid = part.kind === "grid-layout" || part.kind === "grid-change";
      return onGrid ? (layouts.receive(part) ?? []) : part;
    });
}
