/** Districts on the shown layout: their positions, compactness and order. Pure. */

import type { Districts as Found } from "../../api/frames";
import { positionOf, type Placement } from "../../model/plane/placement";
import type { MapRect } from "../../model/plane/viewport";

/** Tokens that are close in the space: a cluster. */
export interface TokenGroup {
  /** Unique for the district's lifetime; later clusters have higher ids. */
  id: number;
  name: string;
  tokenIds: number[];
}

/** A district as the map shows it. */
export interface District extends TokenGroup {
  /** 1 if its tokens lie close together, 0 if they are scattered over the whole map. */
  compactness: number;
}

/** Tokens by group: group g has `ids[starts[g]]` up to, but excluding, `ids[starts[g + 1]]`. */
export interface GroupMembers {
  ids: Uint32Array;
  starts: Uint32Array;
}

/**
 * Median distance of a district's tokens, as a fraction of the map's span: fully compact below the first, not
 * at all above the second.
 */
const TIGHT = 0.07;
const LOOSE = 0.19;

/** Return the clusters found in the embedding space. */
export function clusterGroups(districts: Found): TokenGroup[] {
  const groups = districts.names.map((name, place): TokenGroup => {
    return { id: districts.ids[place]!, name, tokenIds: [] };
  });
  for (let id = 0; id < districts.of.length; id++) groups[districts.of[id]! - 1]?.tokenIds.push(id);
  return groups;
}

/** Return the groups as flat arrays, for the layout analysis. */
export function membersOf(groups: TokenGroup[]): GroupMembers {
  const starts = new Uint32Array(groups.length + 1);
  groups.forEach(({ tokenIds }, i) => (starts[i + 1] = starts[i]! + tokenIds.length));
  const ids = new Uint32Array(starts[groups.length]!);
  groups.forEach(({ tokenIds }, i) => ids.set(tokenIds, starts[i]));
  return { ids, starts };
}

/**
 * Return the compactness of a group's tokens, 0 to 1. `xy` holds x, y by token id; `around` is the span of
 * the map.
 */
export function compactnessOf(
  xy: Float32Array,
  tokenIds: ArrayLike<number>,
  around: MapRect,
): number {
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
  return Math.max(0, Math.min(1, (LOOSE - median(values)) / (LOOSE - TIGHT)));
}

/** Return the median position of some tokens, in map units. */
export function middleOf(placement: Placement, tokenIds: readonly number[]): [number, number] {
  const xs = new Float32Array(tokenIds.length);
  const ys = new Float32Array(tokenIds.length);
  tokenIds.forEach((id, i) => ([xs[i], ys[i]] = positionOf(placement, id)));
  return [median(xs), median(ys)];
}

/**
 * Return the groups that are large enough to be districts, in the order in which they are named: large and
 * old ones first. Ids ascend with the time of birth; the oldest district counts twice as much as the
 * youngest. `compactness` is by group.
 */
export function districtsOf(groups: TokenGroup[], compactness: ArrayLike<number>): District[] {
  const ids = groups.map(({ id }) => id).sort((a, b) => a - b);
  const weight = new Map(
    groups.map(({ id, tokenIds }) => [id, tokenIds.length * (2 - ids.indexOf(id) / ids.length)]),
  );
  return groups
    .map((group, i): District => ({ ...group, compactness: compactness[i]! }))
    .filter(({ tokenIds }) => tokenIds.length >= 3)
    .sort((a, b) => weight.get(b.id)! - weight.get(a.id)! || a.id - b.id);
}

/** Return the median. Sorts its argument. */
function median(values: Float32Array): number {
  return values.length ? values.sort()[values.length >> 1]! : 0;
}
