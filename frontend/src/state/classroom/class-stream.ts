/**
 * The stream of a class as frames that the page knows: an opened envelope's beats become pulses, and its layouts on a
 * grid become layouts. One stream is of one connection: what its frames build upon begins anew with each.
 */

import type { Beat, GridChange, GridLayout } from "../../api/class-frames";
import { GRID_STEPS } from "../../api/class-frames";
import { decodeEnvelope } from "../../api/envelope";
import type { Frame, Layout, LayoutMethod, Pulse } from "../../api/frames";
import type { SocketMessage } from "../../api/rest-types";

/** Steps of a layout's own places on each axis. */
const PLACE_STEPS = 65_535;

export class ClassStream {
  /** The newest layout of each view, on its grid. */
  private readonly grids: Partial<Record<LayoutMethod, GridLayout>> = {};

  /** Open an envelope. Rejects with `FrameError` for anything else. */
  async open(data: ArrayBuffer): Promise<(Frame | SocketMessage)[]> {
    return (await decodeEnvelope(data)).flatMap((part) => this.translate(part) ?? []);
  }

  /** Return a part as the page knows it; null for a change of a layout that is not here. */
  translate(part: Frame | SocketMessage): Frame | SocketMessage | null {
    if ("type" in part) return part;
    if (part.kind === "beat") return pulseOf(part);
    if (part.kind !== "grid-layout" && part.kind !== "grid-change") return part;
    const grid = part.kind === "grid-layout" ? part : this.changed(part);
    if (!grid) return null;
    this.grids[grid.method] = grid;
    return layoutOf(grid);
  }

  private changed(change: GridChange): GridLayout | null {
    const base = this.grids[change.method];
    if (base?.number !== change.base || base.places.length !== change.moves.length) return null;
    const { moves, fromBase, byToken: told } = change;
    const before = base.byToken;
    const { x0, x1, y0, y1 } = base;
    return {
      ...change,
      ...{ x0, x1, y0, y1 },
      kind: "grid-layout",
      places: base.places.map((place, i) => place + moves[i]!),
      byToken: told && fromBase && before ? told.map((by, i) => before[i]! + by) : told,
    };
  }
}

/** Return a beat as the pulse of its step; what lies between the beats stays with it. */
function pulseOf(beat: Beat): Pulse {
  const { batchIds, gradientNorms: norms } = beat;
  const lit = batchIds.filter((_, i) => norms[i]! > 0);
  return {
    ...beat,
    kind: "pulse",
    firstStep: beat.step,
    merged: false,
    verified: beat.driftingRows !== null,
    gradientIds: lit.length === batchIds.length ? batchIds : lit,
    gradientNorms: norms.filter((norm) => norm > 0),
    // Which rows moved is not told, but how many is.
    movedIds: new Uint32Array(),
    movedDistances: new Float32Array(),
    beat,
  };
}

function layoutOf(grid: GridLayout): Layout {
  const scale = PLACE_STEPS / GRID_STEPS;
  const places = grid.places.map((place) => Math.round(place * scale));
  return { ...grid, kind: "layout", places };
}
