/** The nearest of many tokens. Pure. */

/** The `k` nearest of the offered tokens, nearest first; ties go to the first offered. */
export class NearestTokens {
  private readonly ids: Int32Array;
  private readonly distances: Float64Array;
  private count = 0;

  constructor(private readonly k: number) {
    this.ids = new Int32Array(k);
    this.distances = new Float64Array(k).fill(Infinity);
  }

  /** Start over, with no tokens. */
  startOver() {
    this.distances.fill(Infinity);
    this.count = 0;
  }

  /** Keep the token if it is nearer than the farthest one kept. The list is short, so it is kept sorted. */
  offer(id: number, distance: number) {
    const { ids, distances, k } = this;
    if (!(distance < distances[k - 1]!)) return;
    let index = Math.min(this.count, k - 1);
    while (index > 0 && distances[index - 1]! > distance) {
      distances[index] = distances[index - 1]!;
      ids[index] = ids[index - 1]!;
      index -= 1;
    }
    distances[index] = distance;
    ids[index] = id;
    if (this.count < k) this.count += 1;
  }

  /** Return the kept tokens, as a view that the next offer changes. */
  get kept(): Int32Array {
    return this.ids.subarray(0, this.count);
  }
}
