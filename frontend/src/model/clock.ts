/** The words of sums on a clock. Pure. */

import type { Vocabulary } from "../api/vocabulary";

/** The id of the number 0; that of n is n more. */
export const FIRST_NUMBER = 1;

/** Numbers of the largest clock. The words of an imported run may claim more, and the page compares each with each. */
const MAX_NUMBERS = 199;

/** Return how many numbers a clock has, if the words are those of sums on it; else 0. */
export function clockSize({ tokens }: Pick<Vocabulary, "tokens">): number {
  const size = tokens.length - FIRST_NUMBER - 2;
  const sums = tokens[FIRST_NUMBER] === "0" && tokens.at(-2) === "+" && tokens.at(-1) === "=";
  return sums && size > 2 && size <= MAX_NUMBERS ? size : 0;
}
