/** Words to begin with: those of Lamptown whose story is known, or else common ones of the text. Pure. */

import type { Vocabulary } from "../../api/vocabulary";

/** Words of which the town says enough to watch them find their place. */
const TOWN_WORDS = ["dog", "queen", "paris"];
/** Least letters of a word that is more than grammar. */
const LEAST_LETTERS = 5;
/** The sign of a word's beginning in tokens that are parts of words. */
const WHOLE_WORD = /^[Ġ▁ ]?\p{Ll}+$/u;

/** Return the ids of three words to try, or of fewer where the text has no more. */
export function wordsToTry({ tokens, byCount }: Vocabulary): number[] {
  const ids = TOWN_WORDS.map((word) => tokens.indexOf(word));
  if (ids.every((id) => id >= 0)) return ids;
  const found: number[] = [];
  for (const id of byCount) {
    const word = tokens[id]!;
    if (WHOLE_WORD.test(word) && word.replace(/^[Ġ▁ ]/, "").length >= LEAST_LETTERS) found.push(id);
    if (found.length === TOWN_WORDS.length) break;
  }
  return found;
}
