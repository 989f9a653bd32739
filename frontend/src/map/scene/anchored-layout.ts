/**
 * Layouts rotated to hold chosen tokens as still as possible. Each layout is rotated and translated as a
 * whole, never mirrored or scaled, so distances on the map do not change.
 */

import type { Layout } from "../../api/frames";
import { coordinates, placementOf, quantise } from "../../model/plane/placement";
import type { DrawnTrail } from "../../model/plane/trail";

/** A rotation and translation: (x, y) becomes (cos x - sin y + dx, sin x + cos y + dy). */
export interface RigidTransform {
  cos: number;
  sin: number;
  dx: number;
  dy: number;
}

/** Imperceptible change: a smaller rotation, or a smaller translation as a fraction of the map's width. */
const UNSEEN = 1e-5;

/**
 * Return the rotation and translation that bring `from` closest to `to` (x, y alternating): least squares, in
 * closed form.
 *
 * Pure. A single token gives a translation, no token the identity.
 */
export function fitRigidTransform(from: Float32Array, to: Float32Array): RigidTransform {
  const count = from.length / 2;
  if (!count) return { cos: 1, sin: 0, dx: 0, dy: 0 };
  const middle = [0, 0, 0, 0];
  for (let i = 0; i < from.length; i += 2) {
    middle[0]! += from[i]! / count;
    middle[1]! += from[i + 1]! / count;
    middle[2]! += to[i]! / count;
    middle[3]! += to[i + 1]! / count;
  }
  const [fx, fy, tx, ty] = middle as [number, number, number, number];
  let [along, across] = [0, 0];
  for (let i = 0; i < from.length; i += 2) {
    const [ax, ay] = [from[i]! - fx, from[i + 1]! - fy];
    const [bx, by] = [to[i]! - tx, to[i + 1]! - ty];
    along += ax * bx + ay * by;
    across += ax * by - ay * bx;
  }
  const size = Math.hypot(along, across);
  const [cos, sin] = size > 0 ? [along / size, across / size] : [1, 0];
  return { cos, sin, dx: tx - (cos * fx - sin * fy), dy: ty - (sin * fx + cos * fy) };
}

/** Return a rotated and translated copy of the positions. Pure. */
export function transformPoints(
  xy: Float32Array,
  { cos, sin, dx, dy }: RigidTransform,
): Float32Array {
  const out = new Float32Array(xy.length);
  for (let i = 0; i < xy.length; i += 2) {
    out[i] = cos * xy[i]! - sin * xy[i + 1]! + dx;
    out[i + 1] = sin * xy[i]! + cos * xy[i + 1]! + dy;
  }
  return out;
}

/** Return a copy of the trail, rotated and translated like its map. Pure. */
export function transformTrail(trail: DrawnTrail, transform: RigidTransform): DrawnTrail {
  const { xs, ys } = trail;
  const xy = transformPoints(
    Float32Array.from({ length: 2 * xs.length }, (_, i) => (i % 2 ? ys : xs)[i >> 1]!),
    transform,
  );
  return { ...trail, xs: xs.map((_, i) => xy[2 * i]!), ys: ys.map((_, i) => xy[2 * i + 1]!) };
}

/** Anchor positions of the held tokens, towards which every layout is rotated. */
export class LayoutAnchor {
  /** The transform of the last layout shown; null if it was unchanged. */
  transform: RigidTransform | null = null;
  private ids: readonly number[] = [];
  private anchor: Float32Array | null = null;
  private last: Layout | null = null;

  /** Return the layout transformed so that `ids` hold still; unchanged if there are none. */
  apply(layout: Layout, ids: readonly number[]): Layout {
    const { last } = this;
    const other = last?.drawnBy !== layout.drawnBy || last.vocabulary !== layout.vocabulary;
    const same = ids.length === this.ids.length && ids.every((id, i) => id === this.ids[i]);
    if (!ids.length) this.anchor = null;
    // Another map has other units, so the tokens first take their untransformed positions on it.
    else if (!this.anchor || !same || other) {
      this.anchor = coordinatesOf(other ? layout : last, ids);
    }
    this.ids = ids;
    return (this.last = this.turnedLayout(layout));
  }

  private turnedLayout(layout: Layout): Layout {
    this.transform = null;
    if (!this.anchor) return layout;
    const transform = fitRigidTransform(coordinatesOf(layout, this.ids), this.anchor);
    const shift = Math.hypot(transform.dx, transform.dy) / Math.max(1e-9, layout.x1 - layout.x0);
    if (Math.abs(transform.sin) < UNSEEN && transform.cos > 0 && shift < UNSEEN) return layout;
    this.transform = transform;
    const { places, box } = quantise(transformPoints(coordinates(placementOf(layout)), transform));
    return { ...layout, places, ...box };
  }
}

/** Return x, y of the tokens `ids` in a layout, in map units. */
function coordinatesOf(layout: Layout, ids: readonly number[]): Float32Array {
  const { places, box } = placementOf(layout);
  const own = new Uint16Array(2 * ids.length);
  ids.forEach((id, i) => {
    own[2 * i] = places[2 * id]!;
    own[2 * i + 1] = places[2 * id + 1]!;
  });
  return coordinates({ places: own, box });
}
