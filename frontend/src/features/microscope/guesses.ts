/** The model's predictions after a word, with the rank of the word that came. Pure. */

import type { MicroscopeText } from "../../api/rest-types";

export interface Guess {
  id: number;
  /** Its probability before the update; null if not a number. */
  p: number | null;
  /** Its rank, where it is not among the likeliest; else null. */
  rank: number | null;
  /** True for the word that came. */
  truth: boolean;
}

/** Return the likeliest words at a position, followed by the true one if it is not among them. */
export function guessesAt(text: MicroscopeText, position: number): Guess[] {
  const truth = text.next_ids[position];
  const likeliest = (text.candidates[position] ?? []).map(([id, p]): Guess => ({
    id,
    p,
    rank: null,
    truth: id === truth,
  }));
  if (truth === undefined || likeliest.some((guess) => guess.truth)) return likeliest;
  const [p = null, rank = null] = [text.p_before[position], text.rank_before[position]];
  return [...likeliest, { id: truth, p, rank, truth: true }];
}
