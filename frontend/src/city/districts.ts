/** Districts on the shown layout: where their tokens have come together, and how tightly. Pure. */

import type { Districts as Found } from "../wire/frames";
import type { Vocabulary } from "../wire/vocabulary";
import type { View } from "./placement";

/** Where a group lies: the middle of its tokens, and how tightly they lie around it. */
export interface Lie {
  x: number;
  y: number;
  /** 1: its tokens lie close together; 0: strewn over the whole city. */
  unity: number;
}

export interface District extends Lie {
  /** Its own as long as it lives. */
  id: number;
  name: string;
  /** Which of the tints is its own. */
  tint: number;
  size: number;
}

/** Tokens that belong together, whoever said so. */
export interface Group {
  id: number;
  name: string;
  tint: number;
  tokenIds: number[];
}

/** Tokens by group: those of group g are `ids[starts[g]]` up to, not with, `ids[starts[g + 1]]`. */
export interface Members {
  ids: Uint32Array;
  starts: Uint32Array;
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

/** The groups as a survey takes them. */
export function membersOf(groups: Group[]): Members {
  const starts = new Uint32Array(groups.length + 1);
  groups.forEach(({ tokenIds }, i) => (starts[i + 1] = starts[i]! + tokenIds.length));
  const ids = new Uint32Array(starts[groups.length]!);
  groups.forEach(({ tokenIds }, i) => ids.set(tokenIds, starts[i]!));
  return { ids, starts };
}

export function districtAt(xy: Float32Array, tokenIds: ArrayLike<number>, around: View): Lie {
  const [w, h] = [around.x1 - around.x0, around.y1 - around.y0];
  const values = new Float32Array(tokenIds.length);
  const middle = (axis: 0 | 1) => {
    for (let i = 0; i < values.length; i++) values[i] = xy[2 * tokenIds[i]! + axis]!;
    return median(values);
  };
  const [x, y] = [middle(0), middle(1)];
  for (let i = 0; i < values.length; i++) {
    const id = tokenIds[i]!;
    values[i] = Math.hypot((xy[2 * id]! - x) / w, (xy[2 * id + 1]! - y) / h);
  }
  const unity = Math.max(0, Math.min(1, (LOOSE - median(values)) / (LOOSE - TIGHT)));
  return { x, y, unity };
}

/** The groups that are large enough to be called districts, the largest first. `lies` by group. */
export function districtsOf(groups: Group[], lies: Lie[]): District[] {
  return groups
    .map(({ id, name, tint, tokenIds }, i): District => {
      return { id, name, tint, ...lies[i]!, size: tokenIds.length };
    })
    .filter(({ size }) => size >= 3)
    .sort((a, b) => b.size - a.size);
}

/** Sorts what it is given. */
function median(values: Float32Array): number {
  return values.length ? values.sort()[values.length >> 1]! : 0;
}
