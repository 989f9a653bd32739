/** The path of a token on the map, as points in the order of time. Pure. */

import type { Layout } from "../../api/frames";
import type { Trail } from "../../model/trail";

/** Limit on the points of a trail; a longer one keeps evenly spaced points and the last. */
const MOST = 72;
/**
 * Positions are rounded to a grid of 65,535 a side; within this many cells they count as the same.
 */
const ROUNDED = 3;

/** Return the distance in x and in y up to which two positions of a map count as the same. */
export function grain({ x0, x1, y0, y1 }: Layout): [number, number] {
  return [(ROUNDED * (x1 - x0)) / 65_535, (ROUNDED * (y1 - y0)) / 65_535];
}

/** Append a position to a trail, unless the token is still where it was. */
export function extend(trail: Trail, step: number, x: number, y: number, grain: [number, number]) {
  const { steps, xs, ys } = trail;
  const last = steps.length - 1;
  const here =
    last >= 0 && Math.abs(xs[last]! - x) <= grain[0] && Math.abs(ys[last]! - y) <= grain[1];
  if (here) return;
  steps.push(step);
  xs.push(x);
  ys.push(y);
}

/** Build trails from several layouts; `places` is by layout, then by token. */
export function trailsOf(
  ids: number[],
  steps: number[],
  places: [number, number][][],
  grain: [number, number],
): Trail[] {
  return ids.map((id, at) => {
    const trail: Trail = { id, steps: [], xs: [], ys: [] };
    places.forEach((layout, i) => extend(trail, steps[i]!, ...layout[at]!, grain));
    return trail;
  });
}

/** Extend a trail with a new layout, and drop the part before `from`. */
export function grown(trail: Trail, layout: Layout, from: number): Trail {
  const { places, x0, x1, y0, y1, step } = layout;
  const x = x0 + ((x1 - x0) * places[2 * trail.id]!) / 65_535;
  const y = y0 + ((y1 - y0) * places[2 * trail.id + 1]!) / 65_535;
  const longer = cut(trail, 0);
  extend(longer, step, x, y, grain(layout));
  // The last position before `from` is where the token was at `from`.
  let first = 0;
  while (first + 1 < longer.steps.length && longer.steps[first + 1]! <= from) first += 1;
  return first === 0 ? longer : cut(longer, first);
}

/** Thin a trail to few enough points to draw, evenly chosen; the first and the last stay. */
export function thinned(trail: Trail): Trail {
  const { id, steps, xs, ys } = trail;
  const every = Math.ceil(steps.length / MOST);
  if (every <= 1) return trail;
  const last = steps.length - 1;
  const keep = (_: number, at: number) => at === last || at % every === 0;
  return { id, steps: steps.filter(keep), xs: xs.filter(keep), ys: ys.filter(keep) };
}

function cut({ id, steps, xs, ys }: Trail, first: number): Trail {
  return { id, steps: steps.slice(first), xs: xs.slice(first), ys: ys.slice(first) };
}
