/** The guesses of the model after a word, and where the word that came stands among it. Pure. */

import type { MicroscopeText } from "../../api/rest-types";

export interface Guess {
  id: number;
  /** Its probability before the update; null if it is no number. */
  p: number | null;
  /** Its rank, where it is not among the likeliest; else null. */
  rank: number | null;
  /** True for the word that came. */
  truth: boolean;
}

/** Return the likeliest words at a position, and behind them the true one if it is not among them. */
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
