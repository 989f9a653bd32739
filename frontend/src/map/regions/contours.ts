/** Contour lines of the density grid as closed rings (marching squares), for vector pictures. Pure. */

import type { DensityGrid } from "./density";

/**
 * Return the rings around everything above `level`: x, y by turns, in map units. They close, because the
 * grid's edge is sea.
 */
export function contoursOf({ size, heights, box }: DensityGrid, level: number): Float32Array[] {
  // A crossing lies on an edge between two cells: 2 * cell for the right edge, 2 * cell + 1 for the upper
  // one.
  const links = new Int32Array(4 * size * size).fill(-1);
  const link = (a: number, b: number) => {
    links[2 * a + (links[2 * a]! < 0 ? 0 : 1)] = b;
    links[2 * b + (links[2 * b]! < 0 ? 0 : 1)] = a;
  };
  const above = (at: number) => heights[at]! > level;
  for (let row = 0; row + 1 < size; row++) {
    for (let column = 0; column + 1 < size; column++) {
      const at = row * size + column;
      const corners = [above(at), above(at + 1), above(at + size + 1), above(at + size)];
      const edges = [2 * at, 2 * (at + 1) + 1, 2 * (at + size), 2 * at + 1];
      const crossed = edges.filter((_, i) => corners[i] !== corners[(i + 1) % 4]);
      if (crossed.length === 2) link(crossed[0]!, crossed[1]!);
      else if (crossed.length === 4) {
        // A saddle: the mean decides which corners are connected.
        const middle =
          heights[at]! + heights[at + 1]! + heights[at + size]! + heights[at + size + 1]!;
        const joined = middle / 4 > level === corners[0];
        link(edges[0]!, edges[joined ? 1 : 3]!);
        link(edges[2]!, edges[joined ? 3 : 1]!);
      }
    }
  }
  const place = (edge: number): [number, number] => {
    const at = edge >> 1;
    const next = edge & 1 ? at + size : at + 1;
    const part = (level - heights[at]!) / (heights[next]! - heights[at]!);
    const [row, column] = [Math.floor(at / size), at % size];
    return [
      box.x0 + ((column + 0.5 + (edge & 1 ? 0 : part)) / size) * (box.x1 - box.x0),
      box.y0 + ((row + 0.5 + (edge & 1 ? part : 0)) / size) * (box.y1 - box.y0),
    ];
  };
  const rings: Float32Array[] = [];
  const walked = new Uint8Array(2 * size * size);
  for (let start = 0; start < walked.length; start++) {
    if (walked[start] || links[2 * start]! < 0) continue;
    const ring: number[] = [];
    let edge = start;
    while (!walked[edge]) {
      walked[edge] = 1;
      ring.push(...place(edge));
      const [one, other] = [links[2 * edge]!, links[2 * edge + 1]!];
      edge = one >= 0 && !walked[one] ? one : other >= 0 ? other : edge;
    }
    if (ring.length >= 6) rings.push(Float32Array.from(ring));
  }
  return rings;
}
