/**
 * Neighbourhood overlap of two maps: the fraction of a token's nearest tokens on one that are also nearest on
 * the other. Pure.
 */

import { NearestTokens } from "../../model/plane/nearest";

/** The overlap of two maps, and the sample it was computed from. */
export interface NeighbourhoodOverlap {
  /** Mean fraction over the sampled tokens, 0 to 1. */
  share: number;
  /** Neighbours compared per token. */
  neighbours: number;
  /** Number of sampled tokens, evenly spread over those that both maps have. */
  sampled: number;
  tokens: number;
}

/** Limit on distances computed per map; above it, only a sample of the tokens is compared. */
const MAX_DISTANCES = 4_000_000;

/**
 * Return the overlap of two maps, or null if they share too few tokens.
 *
 * `a` and `b` hold x, y of the tokens that both maps have, in the same order. The result is invariant to
 * rotation, mirroring and uniform scaling of either map.
 *
 * @throws RangeError if the maps differ in length.
 */
export function neighbourhoodOverlap(
  a: Float32Array,
  b: Float32Array,
  neighbours = 10,
  maxDistances = MAX_DISTANCES,
): NeighbourhoodOverlap | null {
  const tokens = a.length / 2;
  if (b.length !== a.length) throw new RangeError("as many places on either map");
  if (tokens <= neighbours + 1) return null;
  const sampled = Math.min(tokens, Math.max(1, Math.floor(maxDistances / tokens)));
  let common = 0;
  const first = new NearestTokens(neighbours);
  const second = new NearestTokens(neighbours);
  for (let i = 0; i < sampled; i++) {
    const sampledId = Math.floor(((i + 0.5) * tokens) / sampled);
    const inSecond = findNearest(second, b, sampledId);
    for (const id of findNearest(first, a, sampledId)) if (inSecond.includes(id)) common += 1;
  }
  return { share: common / (sampled * neighbours), neighbours, sampled, tokens };
}

/** Find the tokens nearest to one; `xy` holds x, y by token id. */
function findNearest(nearest: NearestTokens, xy: Float32Array, target: number): Int32Array {
  nearest.startOver();
  const [x, y] = [xy[2 * target]!, xy[2 * target + 1]!];
  for (let i = 0, id = 0; i < xy.length; i += 2, id++) {
    if (id !== target) nearest.offer(id, (xy[i]! - x) ** 2 + (xy[i + 1]! - y) ** 2);
  }
  return nearest.kept;
}

/** Return x, y of the tokens `ids`, in the same order. */
export function pickCoordinates(xy: Float32Array, ids: Uint32Array): Float32Array {
  const out = new Float32Array(2 * ids.length);
  ids.forEach((id, i) => {
    out[2 * i] = xy[2 * id]!;
    out[2 * i + 1] = xy[2 * id + 1]!;
  });
  return out;
}
