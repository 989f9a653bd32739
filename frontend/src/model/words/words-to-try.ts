/** Words of a vocabulary that a newcomer may like to search for. Pure. */

import { textOf, type Vocabulary } from "../../api/vocabulary";

/** Words of Lamptown whose neighbours are easy to judge. */
const FAVOURITES = ["dog", "queen", "paris"];
/** Frequency ranks between which words are meaningful and frequent enough. */
const [FIRST_RANK, LAST_RANK] = [30, 1_500];
/** Minimum length of a proposed word, in letters; the most common short ones are function words. */
const MIN_LETTERS = 5;
/** Characters with which tokenisers mark the space before a word. */
const SPACE = /^[ ▁Ġ]/u;

/** Return up to three tokens to try: favourites in the vocabulary, or else words of medium frequency. */
export function wordsToTry({ tokens, byCount }: Pick<Vocabulary, "tokens" | "byCount">): number[] {
  const known = FAVOURITES.map((word) => tokens.indexOf(word)).filter((id) => id >= 0);
  const others = Array.from(byCount.subarray(FIRST_RANK, LAST_RANK)).filter(
    (id) => isWord(tokens[id] ?? "") && !known.includes(id),
  );
  const missing = Math.min(FAVOURITES.length - known.length, others.length);
  // Spread over frequencies, so that they probably differ in meaning; the rarer half is less useful.
  const stride = Math.max(1, others.length / (2 * missing));
  const apart = Array.from({ length: missing }, (_, i) => others[Math.floor(i * stride)]!);
  return [...known, ...apart];
}

function isWord(token: string): boolean {
  const word = token.replace(SPACE, "");
  return /^\p{Ll}+$/u.test(word) && Array.from(word).length >= MIN_LETTERS;
}

/** Words of a list to repeat. */
const LIST_WORDS = 8;

/** Return a list of frequent words of the text, and the same list again: what a head that copies can be seen on. */
export function listTwice({ tokens, byCount }: Pick<Vocabulary, "tokens" | "byCount">): string {
  // A piece of a word begins with a hyphen.
  const words = Array.from(byCount.subarray(0, LAST_RANK)).filter((id) =>
    /^\p{Ll}{3,}$/u.test(tokens[id] ?? ""),
  );
  const stride = Math.max(1, words.length / LIST_WORDS);
  const ids = words.filter((_, i) => Math.floor(i % stride) === 0).slice(0, LIST_WORDS);
  return textOf([...ids, ...ids], { tokens });
}
