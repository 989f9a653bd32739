/** Districts on the shown layout: where their tokens have come together, and how tightly. Pure. */

import type { Districts as Found } from "../wire/frames";
import type { Vocabulary } from "../wire/vocabulary";
import type { View } from "./placement";

export interface District {
  /** Its own as long as it lives. */
  id: number;
  name: string;
  /** Which of the tints is its own. */
  tint: number;
  x: number;
  y: number;
  size: number;
  /** 1: its tokens lie close together; 0: strewn over the whole city. */
  unity: number;
}

/** Tokens that belong together, whoever said so. */
export interface Group {
  id: number;
  name: string;
  tint: number;
  tokenIds: number[];
}

/** Part of the city's span within which half a district's tokens must lie to be called one. */
const TIGHT = 0.07;
const LOOSE = 0.19;

/** The clusters that were found in the space. One named after a planted class has the tint of the class. */
export function foundGroups(found: Found, { classes }: Vocabulary): Group[] {
  const groups = found.names.map((name, place): Group => {
    const planted = classes.findIndex((one) => name === one || name.startsWith(`${one}: `));
    const id = found.ids[place]!;
    return { id, name, tint: planted < 0 ? id : planted, tokenIds: [] };
  });
  for (let id = 0; id < found.of.length; id++) groups[found.of[id]! - 1]?.tokenIds.push(id);
  return groups;
}

/** The planted classes, for runs in which nobody looked for clusters. */
export function plantedGroups({ classOf, classes }: Vocabulary): Group[] {
  const groups = classes.map((name, place): Group => {
    return { id: place, name, tint: place, tokenIds: [] };
  });
  for (let id = 0; id < classOf.length; id++) groups[classOf[id]!]?.tokenIds.push(id);
  return groups;
}

export function districtsOf(xy: Float32Array, groups: Group[], around: View): District[] {
  const [w, h] = [around.x1 - around.x0, around.y1 - around.y0];
  return groups
    .map(({ id, name, tint, tokenIds }): District => {
      const x = median(tokenIds.map((token) => xy[2 * token]!));
      const y = median(tokenIds.map((token) => xy[2 * token + 1]!));
      const spread = median(
        tokenIds.map((token) => Math.hypot((xy[2 * token]! - x) / w, (xy[2 * token + 1]! - y) / h)),
      );
      const unity = Math.max(0, Math.min(1, (LOOSE - spread) / (LOOSE - TIGHT)));
      return { id, name, tint, x, y, size: tokenIds.length, unity };
    })
    .filter(({ size }) => size >= 3)
    .sort((a, b) => b.size - a.size);
}

function median(values: number[]): number {
  if (!values.length) return 0;
  values.sort((a, b) => a - b);
  return values[values.length >> 1]!;
}
