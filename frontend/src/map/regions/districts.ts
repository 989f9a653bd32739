/** Districts on the shown layout: where their tokens are, and how tightly. Pure. */

import type { Districts as Found } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import type { MapRect } from "../../model/viewport";

/** The location of a group's tokens: their median position, and how tightly they surround it. */
export interface DistrictShape {
  x: number;
  y: number;
  /** Compactness: 1 if its tokens lie close together, 0 if they are scattered over the whole map. */
  compactness: number;
}

/** A district as the map shows it. */
export interface District extends DistrictShape {
  /** Unique for the district's lifetime. */
  id: number;
  name: string;
  /** Index into the tints. */
  tint: number;
  size: number;
}

/** Tokens that belong together, by class or by cluster. */
export interface TokenGroup {
  id: number;
  name: string;
  tint: number;
  tokenIds: number[];
}

/** Tokens by group: group g has `ids[starts[g]]` up to, but excluding, `ids[starts[g + 1]]`. */
export interface GroupMembers {
  ids: Uint32Array;
  starts: Uint32Array;
}

/**
 * Median distance of a district's tokens, as a share of the map's span: below the first it is fully compact,
 * above the second not at all.
 */
const TIGHT = 0.07;
const LOOSE = 0.19;

/**
 * Return the clusters found in the embedding space. One that is named after a planted class has the class's
 * tint.
 */
export function clusterGroups(districts: Found, { classes }: Vocabulary): TokenGroup[] {
  const groups = districts.names.map((name, place): TokenGroup => {
    const planted = classes.findIndex((one) => name === one || name.startsWith(`${one}: `));
    const id = districts.ids[place]!;
    return { id, name, tint: planted < 0 ? id : planted, tokenIds: [] };
  });
  for (let id = 0; id < districts.of.length; id++) groups[districts.of[id]! - 1]?.tokenIds.push(id);
  return groups;
}

/** Return the planted classes, for runs without clusters. */
function classGroups({ classOf, classes }: Vocabulary): TokenGroup[] {
  const groups = classes.map((name, place): TokenGroup => {
    return { id: place, name, tint: place, tokenIds: [] };
  });
  for (let id = 0; id < classOf.length; id++) groups[classOf[id]!]?.tokenIds.push(id);
  return groups;
}

/** Return the groups of a map: the clusters if any were `found`, else the planted classes. */
export function mapGroups(found: Found | null, vocabulary: Vocabulary): TokenGroup[] {
  return found ? clusterGroups(found, vocabulary) : classGroups(vocabulary);
}

/** Return the groups as flat arrays, for the layout analysis. */
export function membersOf(groups: TokenGroup[]): GroupMembers {
  const starts = new Uint32Array(groups.length + 1);
  groups.forEach(({ tokenIds }, i) => (starts[i + 1] = starts[i]! + tokenIds.length));
  const ids = new Uint32Array(starts[groups.length]!);
  groups.forEach(({ tokenIds }, i) => ids.set(tokenIds, starts[i]));
  return { ids, starts };
}

/** Return where a group's tokens lie. `xy` holds x, y by token id; `around` is the span of the map. */
export function districtShapeOf(
  xy: Float32Array,
  tokenIds: ArrayLike<number>,
  around: MapRect,
): DistrictShape {
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
  const compactness = Math.max(0, Math.min(1, (LOOSE - median(values)) / (LOOSE - TIGHT)));
  return { x, y, compactness };
}

/** Return the groups that are large enough to be districts, the largest first. The locations are by group. */
export function districtsOf(groups: TokenGroup[], shapes: DistrictShape[]): District[] {
  return groups
    .map(({ id, name, tint, tokenIds }, i): District => {
      return { id, name, tint, ...shapes[i]!, size: tokenIds.length };
    })
    .filter(({ size }) => size >= 3)
    .sort((a, b) => b.size - a.size);
}

/** Return the median. Sorts its argument. */
function median(values: Float32Array): number {
  return values.length ? values.sort()[values.length >> 1]! : 0;
}
