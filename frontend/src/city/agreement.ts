/** How far two maps agree: how many of a token's nearest on one are its nearest on the other. Pure. */

export interface Agreement {
  /** Mean over tokens of the share, from 0 to 1. */
  share: number;
  /** Neighbours of each that were looked at. */
  neighbours: number;
  /** Tokens that were looked at, evenly spread, out of those both maps have. */
  looked: number;
  tokens: number;
}

/** Distances that are measured on each map; more tokens than that allows are a sample. */
const MOST_DISTANCES = 4_000_000;

/**
 * `a` and `b`: x, y of the tokens that both maps have, in one order. null where there are too few.
 *
 * Each map may be turned, mirrored or stretched alike both ways: that changes nothing here.
 */
export function agreementOf(
  a: Float32Array,
  b: Float32Array,
  neighbours = 10,
  most = MOST_DISTANCES,
): Agreement | null {
  const tokens = a.length / 2;
  if (b.length !== a.length) throw new RangeError("as many places on either map");
  if (tokens <= neighbours + 1) return null;
  const looked = Math.min(tokens, Math.max(1, Math.floor(most / tokens)));
  let common = 0;
  const here = new Nearest(neighbours);
  const there = new Nearest(neighbours);
  for (let i = 0; i < looked; i++) {
    const of = Math.floor(((i + 0.5) * tokens) / looked);
    here.find(a, of);
    there.find(b, of);
    for (const id of here.ids) if (there.ids.includes(id)) common += 1;
  }
  return { share: common / (looked * neighbours), neighbours, looked, tokens };
}

/** The nearest of one token: the list is short, so it is kept in order. */
class Nearest {
  readonly ids: Int32Array;
  private readonly far: Float64Array;

  constructor(readonly count: number) {
    this.ids = new Int32Array(count);
    this.far = new Float64Array(count);
  }

  find(xy: Float32Array, of: number) {
    const { ids, far, count } = this;
    far.fill(Infinity);
    ids.fill(-1);
    const [x, y] = [xy[2 * of]!, xy[2 * of + 1]!];
    for (let i = 0, id = 0; i < xy.length; i += 2, id++) {
      if (id === of) continue;
      const distance = (xy[i]! - x) ** 2 + (xy[i + 1]! - y) ** 2;
      if (!(distance < far[count - 1]!)) continue;
      let at = count - 1;
      while (at > 0 && far[at - 1]! > distance) {
        far[at] = far[at - 1]!;
        ids[at] = ids[at - 1]!;
        at -= 1;
      }
      far[at] = distance;
      ids[at] = id;
    }
  }
}

/** x, y of some tokens, in their order. */
export function picked(xy: Float32Array, ids: Uint32Array): Float32Array {
  const out = new Float32Array(2 * ids.length);
  ids.forEach((id, i) => {
    out[2 * i] = xy[2 * id]!;
    out[2 * i + 1] = xy[2 * id + 1]!;
  });
  return out;
}
