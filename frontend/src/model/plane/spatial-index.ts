/** Hit tests: the token nearest to a point of the map, and, by a grid index, the tokens in a view. Pure. */

import { quantisationStep, type Placement } from "./placement";
import type { MapRect } from "./viewport";

/** Tokens by grid cell. */
export interface TokenGrid {
  box: MapRect;
  /** Cells per side. */
  side: number;
  /** Cell c (row by row) has `ids[starts[c]]` up to, but excluding, `ids[starts[c + 1]]`. */
  starts: Uint32Array;
  ids: Uint32Array;
}

/** Sort the tokens into a grid over `box`. Those outside go to the cells at its edge. */
export function buildTokenGrid(xy: Float32Array, box: MapRect): TokenGrid {
  const count = xy.length / 2;
  const side = Math.max(1, Math.min(256, Math.round(Math.sqrt(count / 2))));
  const cells = new Uint32Array(count);
  const starts = new Uint32Array(side * side + 1);
  for (let id = 0; id < count; id++) {
    const column = cell(xy[2 * id]!, box.x0, box.x1, side);
    cells[id] = cell(xy[2 * id + 1]!, box.y0, box.y1, side) * side + column;
    starts[cells[id]! + 1]! += 1;
  }
  for (let i = 1; i < starts.length; i++) starts[i]! += starts[i - 1]!;
  const next = starts.slice();
  const ids = new Uint32Array(count);
  for (let id = 0; id < count; id++) ids[next[cells[id]!]!++] = id;
  return { box, side, starts, ids };
}

/**
 * Return the token nearest to (x, y) within the ellipse with radii `rx`, `ry` around it, or null.
 *
 * It scans all tokens: no grid is valid while lamps glide, and 50,000 tokens take a fraction of a
 * millisecond.
 */
export function nearestToken(
  { places, box }: Placement,
  x: number,
  y: number,
  rx: number,
  ry: number,
): number | null {
  const sx = quantisationStep(box.x0, box.x1);
  const sy = quantisationStep(box.y0, box.y1);
  let best: number | null = null;
  let least = 1;
  for (let i = 0; i < places.length; i += 2) {
    const far =
      ((box.x0 + sx * places[i]! - x) / rx) ** 2 + ((box.y0 + sy * places[i + 1]! - y) / ry) ** 2;
    if (far <= least) [least, best] = [far, i / 2];
  }
  return best;
}

/** A grid index of the tokens. */
export class GridIndex {
  constructor(private readonly grid: TokenGrid) {}

  /** Count the tokens in the cells that a view touches: an upper bound of the number in view. */
  countInView(view: MapRect): number {
    let sum = 0;
    for (const [first, last] of this.rows(view)) sum += last - first;
    return sum;
  }

  /** Return the tokens in the cells that a view touches. */
  tokensInView(view: MapRect): Uint32Array {
    const found = new Uint32Array(this.countInView(view));
    let end = 0;
    for (const [first, last] of this.rows(view)) {
      found.set(this.grid.ids.subarray(first, last), end);
      end += last - first;
    }
    return found;
  }

  /** Yield the range of `ids` in each row of cells that a view touches. */
  private *rows(view: MapRect): Iterable<[number, number]> {
    const { box, side, starts } = this.grid;
    const left = cell(view.x0, box.x0, box.x1, side);
    const right = cell(view.x1, box.x0, box.x1, side);
    const top = cell(view.y1, box.y0, box.y1, side);
    for (let row = cell(view.y0, box.y0, box.y1, side); row <= top; row++) {
      yield [starts[row * side + left]!, starts[row * side + right + 1]!];
    }
  }
}

function cell(value: number, low: number, high: number, side: number): number {
  return Math.max(0, Math.min(side - 1, Math.floor(((value - low) / (high - low)) * side)));
}
