/** Where a token went on the map, as points in the order of time. Pure. */

import type { Layout } from "../wire/frames";

export interface Trail {
  id: number;
  steps: number[];
  xs: number[];
  ys: number[];
}

/** Points of one trail; of more every so-manieth is kept, and the last. */
const MOST = 72;
/** Places come rounded to parts of the map (65,535 a side): what is nearer than this many is the same place. */
const ROUNDED = 3;

/** Two places of a map that are nearer than this, each way, cannot be told apart. */
export function grain({ x0, x1, y0, y1 }: Layout): [number, number] {
  return [(ROUNDED * (x1 - x0)) / 65_535, (ROUNDED * (y1 - y0)) / 65_535];
}

/** Put a place at the end of a trail, where the token is elsewhere than it was. */
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

/** Trails out of several layouts: `places` by layout, then by token. */
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

/** Live, a trail goes on with a new layout, and what lies before `from` is left behind. */
export function grown(trail: Trail, layout: Layout, from: number): Trail {
  const { places, x0, x1, y0, y1, step } = layout;
  const x = x0 + ((x1 - x0) * places[2 * trail.id]!) / 65_535;
  const y = y0 + ((y1 - y0) * places[2 * trail.id + 1]!) / 65_535;
  const longer = cut(trail, 0);
  extend(longer, step, x, y, grain(layout));
  // The last place before `from` is where it was at `from`.
  let first = 0;
  while (first + 1 < longer.steps.length && longer.steps[first + 1]! <= from) first += 1;
  return first === 0 ? longer : cut(longer, first);
}

/** Few enough points to draw: evenly chosen, the first and the last among them. */
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
