/** The newest grid layout of each view, to which differences are added. */

import { FrameError } from "./binary-reader";
import type { GridChange, GridLayout } from "./grid-frames";
import type { LayoutMethod } from "./frame-header";
import type { Layout } from "./frames";

const GRID_STEPS = 4_095;
/** Layout units per grid step. */
const FINER = 16;
const REACH = 65_535 / (FINER * GRID_STEPS);

export class GridLayouts {
  private readonly newest: Partial<Record<LayoutMethod, GridLayout>> = {};

  /**
   * Return the layout of a frame; null for a difference whose base is not the newest layout: a whole one
   * follows. Throws `FrameError` if it leaves the grid.
   */
  receive(frame: GridLayout | GridChange): Layout | null {
    const base = this.newest[frame.method];
    let layout: GridLayout;
    if (frame.kind === "grid-layout") layout = frame;
    else if (base?.number === frame.base && base.vocabulary === frame.vocabulary)
      layout = addChange(base, frame);
    else return null;
    this.newest[frame.method] = layout;
    return toLayout(layout);
  }
}

function addChange(base: GridLayout, change: GridChange): GridLayout {
  const { attempt, step, time, drawnBy, number, trust, trustError, recall, sample } = change;
  const { moves, fromBase } = change;
  const places = base.places.map((place, i) => {
    const moved = place + moves[i]!;
    if (moved < 0 || moved > GRID_STEPS) throw new FrameError("a difference leads off the grid");
    return moved;
  });
  let { byToken } = change;
  if (fromBase && byToken) {
    const before = base.byToken;
    if (!before) throw new FrameError("a difference starts from nothing");
    byToken = byToken.map((difference, id) => before[id]! + difference);
  }
  const fields = { attempt, step, time, drawnBy, number, trust, trustError, recall, sample };
  return { ...base, ...fields, places, byToken };
}

function toLayout(layout: GridLayout): Layout {
  const { x0, x1, y0, y1 } = layout;
  return {
    ...layout,
    kind: "layout",
    x1: x0 + (x1 - x0) * REACH,
    y1: y0 + (y1 - y0) * REACH,
    places: layout.places.map((place) => FINER * place),
  };
}
