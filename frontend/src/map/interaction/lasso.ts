/** Selection of the tokens inside an outline drawn on the map. Pure. */

export interface Point {
  x: number;
  y: number;
}

/** Fewest corners of an outline that encloses anything. */
const MIN_CORNERS = 3;

/**
 * Return the ids of the tokens at `xy` (x, y by token id) inside the outline `corners`, in the same units.
 * The outline is closed from its last corner to its first; where it crosses itself, the even-odd rule
 * decides.
 */
export function tokensWithin(xy: Float32Array, corners: readonly Point[]): number[] {
  if (corners.length < MIN_CORNERS) return [];
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { x, y } of corners) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) return [];
    [x0, x1] = [Math.min(x0, x), Math.max(x1, x)];
    [y0, y1] = [Math.min(y0, y), Math.max(y1, y)];
  }
  const found: number[] = [];
  for (let i = 0; i < xy.length; i += 2) {
    const x = xy[i]!;
    const y = xy[i + 1]!;
    // Most tokens are far away and cost only four comparisons.
    if (x < x0 || x > x1 || y < y0 || y > y1) continue;
    if (isInside(x, y, corners)) found.push(i / 2);
  }
  return found;
}

/** Return whether a ray from the point to the right crosses the outline an odd number of times. */
function isInside(x: number, y: number, corners: readonly Point[]): boolean {
  let inside = false;
  let last = corners[corners.length - 1]!;
  for (const corner of corners) {
    const across = corner.y > y !== last.y > y;
    if (across && x < ((last.x - corner.x) * (y - corner.y)) / (last.y - corner.y) + corner.x) {
      inside = !inside;
    }
    last = corner;
  }
  return inside;
}
