/**
 * Neighbourhood overlap of two maps: how many of a token's nearest tokens on one are among its nearest on the
 * other. Pure.
 */

/** The overlap of two maps, and the sample it was computed from. */
export interface NeighbourhoodOverlap {
  /** Mean share over the sampled tokens, 0 to 1. */
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
 * `a` and `b` hold x, y of the tokens that both maps have, in the same order. Rotation, mirroring and uniform
 * scaling of either map change nothing.
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
  const inFirst = new Nearest(neighbours);
  const inSecond = new Nearest(neighbours);
  for (let i = 0; i < sampled; i++) {
    const sampledId = Math.floor(((i + 0.5) * tokens) / sampled);
    inFirst.find(a, sampledId);
    inSecond.find(b, sampledId);
    for (const id of inFirst.ids) if (inSecond.ids.includes(id)) common += 1;
  }
  return { share: common / (sampled * neighbours), neighbours, sampled, tokens };
}

/** The nearest tokens of one token; the list is short, so it is kept sorted. */
class Nearest {
  readonly ids: Int32Array;
  private readonly distances: Float64Array;

  constructor(readonly count: number) {
    this.ids = new Int32Array(count);
    this.distances = new Float64Array(count);
  }

  find(xy: Float32Array, target: number) {
    const { ids, distances, count } = this;
    distances.fill(Infinity);
    ids.fill(-1);
    const [x, y] = [xy[2 * target]!, xy[2 * target + 1]!];
    for (let i = 0, id = 0; i < xy.length; i += 2, id++) {
      if (id === target) continue;
      const distance = (xy[i]! - x) ** 2 + (xy[i + 1]! - y) ** 2;
      if (!(distance < distances[count - 1]!)) continue;
      let index = count - 1;
      while (index > 0 && distances[index - 1]! > distance) {
        distances[index] = distances[index - 1]!;
        ids[index] = ids[index - 1]!;
        index -= 1;
      }
      distances[index] = distance;
      ids[index] = id;
    }
  }
}

/** Return x, y of the tokens `ids`, in their order. */
export function pickCoordinates(xy: Float32Array, ids: Uint32Array): Float32Array {
  const out = new Float32Array(2 * ids.length);
  ids.forEach((id, i) => {
    out[2 * i] = xy[2 * id]!;
    out[2 * i + 1] = xy[2 * id + 1]!;
  });
  return out;
}
