/** The path of a token on the map, as points in the order of time. Pure. */

import type { Layout } from "../../api/frames";
import { placementOf, positionOf, quantisationStep } from "../../model/plane/placement";
import type { TokenTrail } from "../../model/plane/trail";

/** Limit on the points of a trail; a longer one keeps evenly spaced points and the last. */
const MAX_POINTS = 72;
/** Quantisation steps within which two positions count as the same. */
const SAME_PLACE_STEPS = 3;

/** Return the distances in x and in y up to which two positions of a map count as the same. */
export function placeTolerance({ x0, x1, y0, y1 }: Layout): [number, number] {
  return [SAME_PLACE_STEPS * quantisationStep(x0, x1), SAME_PLACE_STEPS * quantisationStep(y0, y1)];
}

/** Append a position to a trail, unless the token has not moved. */
function appendPoint(
  trail: TokenTrail,
  step: number,
  x: number,
  y: number,
  tolerance: [number, number],
) {
  const { steps, xs, ys } = trail;
  const last = steps.length - 1;
  const here =
    last >= 0 && Math.abs(xs[last]! - x) <= tolerance[0] && Math.abs(ys[last]! - y) <= tolerance[1];
  if (here) return;
  steps.push(step);
  xs.push(x);
  ys.push(y);
}

/** Build trails from several layouts; `places` is by layout, then by token. */
export function buildTrails(
  ids: number[],
  steps: number[],
  places: [number, number][][],
  tolerance: [number, number],
): TokenTrail[] {
  return ids.map((id, at) => {
    const trail: TokenTrail = { id, steps: [], xs: [], ys: [] };
    places.forEach((layout, i) => appendPoint(trail, steps[i]!, ...layout[at]!, tolerance));
    return trail;
  });
}

/** Extend a trail with a new layout, and drop the part before `from`. */
export function extendTrail(trail: TokenTrail, layout: Layout, from: number): TokenTrail {
  const [x, y] = positionOf(placementOf(layout), trail.id);
  const longer = dropBefore(trail, 0);
  appendPoint(longer, layout.step, x, y, placeTolerance(layout));
  // The last position before `from` is the token's position at `from`.
  let first = 0;
  while (first + 1 < longer.steps.length && longer.steps[first + 1]! <= from) first += 1;
  return first === 0 ? longer : dropBefore(longer, first);
}

/** Thin a trail to few enough points to draw, evenly chosen; the first and the last stay. */
export function thinTrail(trail: TokenTrail): TokenTrail {
  const { id, steps, xs, ys } = trail;
  const every = Math.ceil(steps.length / MAX_POINTS);
  if (every <= 1) return trail;
  const last = steps.length - 1;
  const keep = (_: number, at: number) => at === last || at % every === 0;
  return { id, steps: steps.filter(keep), xs: xs.filter(keep), ys: ys.filter(keep) };
}

function dropBefore({ id, steps, xs, ys }: TokenTrail, first: number): TokenTrail {
  return { id, steps: steps.slice(first), xs: xs.slice(first), ys: ys.slice(first) };
}
