/** The score of somebody who guesses, in a game of several rounds: the binomial distribution. Pure. */

/**
 * Return the probability of at least `right` of `rounds` right answers by guessing, each right with probability `chance`,
 * which is more than 0 and less than 1.
 */
export function guessingTail(right: number, rounds: number, chance: number): number {
  const odds = chance / (1 - chance);
  // In logarithms: the probability of a whole long game is too small for a number.
  let logarithm = rounds * Math.log(1 - chance);
  let tail = 0;
  for (let k = 0; k <= rounds; k++) {
    if (k >= right) tail += Math.exp(logarithm);
    logarithm += Math.log(((rounds - k) / (k + 1)) * odds);
  }
  return Math.min(1, tail);
}
