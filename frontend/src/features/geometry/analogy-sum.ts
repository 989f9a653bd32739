/** Whether the sum of an analogy, a - b + c, has moved away from its words. Pure. */

/** Cosine margin by which the nearest word leads clearly. */
const CLEAR_MARGIN = 0.1;

interface NearWord {
  token_id: number;
  cosine: number | null;
}

/** Return whether the sum has hardly left one of the two added words: that word clearly leads `nearest`. */
export function hasHardlyLeft(nearest: readonly NearWord[], a: number, c: number): boolean {
  const [first, second] = nearest;
  if (!first || !second || (first.token_id !== a && first.token_id !== c)) return false;
  if (first.cosine === null || second.cosine === null) return false;
  return first.cosine - second.cosine >= CLEAR_MARGIN;
}
