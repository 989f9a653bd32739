/** The score expected from guessing in a game of several rounds: the binomial distribution. Pure. */

/**
 * Return the probability of at least `right` correct guesses in `rounds`, each correct with probability
 * `chance` (above 0, below 1).
 */
export function guessingTail(right: number, rounds: number, chance: number): number {
  const odds = chance / (1 - chance);
  // In logarithms: the probability of a long game underflows.
  let logarithm = rounds * Math.log(1 - chance);
  let tail = 0;
  for (let k = 0; k <= rounds; k++) {
    if (k >= right) tail += Math.exp(logarithm);
    logarithm += Math.log(((rounds - k) / (k + 1)) * odds);
  }
  return Math.min(1, tail);
}
