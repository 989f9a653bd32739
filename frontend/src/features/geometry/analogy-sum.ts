/** The sum of an analogy, a - b + c: whether it has moved on from the words it was made of. Pure. */

/** Cosine by which a word leads the next one clearly. */
const CLEARLY = 0.1;

interface NearWord {
  token_id: number;
  cosine: number | null;
}

/**
 * Return whether the sum has hardly left one of the two words that were added: it is the nearest of all, the nearest first,
 * and clearly.
 */
export function hasHardlyLeft(nearest: readonly NearWord[], a: number, c: number): boolean {
  const [first, second] = nearest;
  if (!first || !second || (first.token_id !== a && first.token_id !== c)) return false;
  if (first.cosine === null || second.cosine === null) return false;
  return first.cosine - second.cosine >= CLEARLY;
}
