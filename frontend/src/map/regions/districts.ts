/** Districts on the shown layout: their positions, compactness and order. Pure. */

import type { Districts as Found } from "../../api/frames";
import { quantisationStep, type Placement } from "../../model/plane/placement";
import type { GridIndex } from "../../model/plane/spatial-index";
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
  /** How much it stands out, for its size, its solitude and its age. */
  prominence: number;
}

/** The shape of a group on the map. */
export interface GroupShape {
  compactness: number;
  /** 1 for an island with nothing around it, less in a crowd or among other groups. */
  solitude: number;
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
/** Minimum compactness of a district with a middle. */
const COMPACT = 0.12;
/** Half the side of the part that a district covers, in median distances of its tokens from its middle. */
const COVERED = 1.8;
/** Minimum of that median distance, and half the side of a district's surroundings, as fractions of the map's span. */
const MIN_DISTANCE = 0.006;
const SURROUNDINGS = 0.08;
/** Exponent of a district's age, 1 to 2, in its prominence. */
const AGE_WEIGHT = 0.4;
/** Maximum number of tokens whose median is the middle: more would cost time in each frame. */
const MAX_SAMPLE = 128;

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
 * Return the shape of a group's tokens. `xy` holds x, y by token id, `grid` all tokens; `span` is that of the
 * map.
 */
export function shapeOf(
  xy: Float32Array,
  tokenIds: ArrayLike<number>,
  span: MapRect,
  grid: GridIndex,
): GroupShape {
  const [w, h] = [span.x1 - span.x0, span.y1 - span.y0];
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
  const distance = median(values);
  const reach = COVERED * Math.max(MIN_DISTANCE, distance);
  const covered = (id: number) =>
    Math.abs(xy[2 * id]! - x) <= reach * w && Math.abs(xy[2 * id + 1]! - y) <= reach * h;
  const part = (half: number) => {
    return { x0: x - half * w, x1: x + half * w, y0: y - half * h, y1: y + half * h };
  };
  const own = Array.from(tokenIds).filter(covered).length;
  const all = grid.tokensInView(part(reach)).filter(covered).length;
  const around = grid.countInView(part(SURROUNDINGS));
  return {
    compactness: Math.max(0, Math.min(1, (LOOSE - distance) / (LOOSE - TIGHT))),
    solitude: (own / Math.max(1, all)) * Math.min(1, Math.sqrt(tokenIds.length / around)),
  };
}

/** Return whether a district has a middle, where its name can stand. */
export function isCompact({ compactness }: District): boolean {
  return compactness >= COMPACT;
}

/** Return the median position of some tokens, in map units; of a sample if there are many. */
export function middleOf(
  { places, box }: Placement,
  tokenIds: readonly number[],
): [number, number] {
  const every = Math.max(1, Math.ceil(tokenIds.length / MAX_SAMPLE));
  const count = Math.ceil(tokenIds.length / every);
  const [xs, ys] = [new Uint16Array(count), new Uint16Array(count)];
  for (let i = 0; i < count; i++) {
    const at = 2 * tokenIds[i * every]!;
    [xs[i], ys[i]] = [places[at]!, places[at + 1]!];
  }
  return [
    box.x0 + quantisationStep(box.x0, box.x1) * median(xs),
    box.y0 + quantisationStep(box.y0, box.y1) * median(ys),
  ];
}

/**
 * Return the groups that are large enough to be districts, those that stand out most first. Ids ascend with
 * the time of birth; the oldest district counts a third more than the youngest. `shapes` is by group.
 */
export function districtsOf(groups: TokenGroup[], shapes: readonly GroupShape[]): District[] {
  const ids = groups.map(({ id }) => id).sort((a, b) => a - b);
  const ages = new Map(ids.map((id, i) => [id, 2 - i / ids.length]));
  return groups
    .map((group, i): District => {
      const { compactness, solitude } = shapes[i]!;
      const age = ages.get(group.id)! ** AGE_WEIGHT;
      const prominence = Math.sqrt(group.tokenIds.length) * solitude * age;
      return { ...group, compactness, prominence };
    })
    .filter(({ tokenIds }) => tokenIds.length >= 3)
    .sort((a, b) => b.prominence - a.prominence || a.id - b.id);
}

/** Return the median. Sorts its argument. */
function median(values: Float32Array | Uint16Array): number {
  return values.length ? values.sort()[values.length >> 1]! : 0;
}
