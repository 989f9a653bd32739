/** Words of a vocabulary that a newcomer may like to look for. Pure. */

import type { Vocabulary } from "../api/vocabulary";

/** Words of Lamptown whose neighbours anybody can judge. */
const FAVOURITES = ["dog", "queen", "paris"];
/** Ranks by frequency between which a text has words that mean something and occur often enough. */
const [FIRST_RANK, LAST_RANK] = [30, 1_500];
/** Shortest word proposed, in letters; the most common short ones only join others. */
const MIN_LETTERS = 5;
/** Characters with which tokenisers mark the space before a word. */
const SPACE = /^[ ▁Ġ]/u;

/** Return up to three tokens to try: favourites that the vocabulary has, or else words of medium frequency. */
export function wordsToTry({ tokens, byCount }: Pick<Vocabulary, "tokens" | "byCount">): number[] {
  const known = FAVOURITES.map((word) => tokens.indexOf(word)).filter((id) => id >= 0);
  const others = Array.from(byCount.subarray(FIRST_RANK, LAST_RANK)).filter(
    (id) => isWord(tokens[id] ?? "") && !known.includes(id),
  );
  const missing = Math.min(FAVOURITES.length - known.length, others.length);
  // Apart in frequency, so that they are likely to be apart in meaning; the rarer half says little.
  const stride = Math.max(1, others.length / (2 * missing));
  const apart = Array.from({ length: missing }, (_, i) => others[Math.floor(i * stride)]!);
  return [...known, ...apart];
}

function isWord(token: string): boolean {
  const word = token.replace(SPACE, "");
  return /^\p{Ll}+$/u.test(word) && Array.from(word).length >= MIN_LETTERS;
}
