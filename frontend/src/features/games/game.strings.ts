/** Texts of the game *Odd one out*. */

import { guessed, USUAL } from "../../strings/amounts";
import { count, fixed } from "../../strings/numbers";
import { table } from "../../strings/translation";

export const game = table("game", {
  about:
    "Four words. For three of them the model has similar numbers; the fourth lies far from all three. Which one is it?",
  rule: "There is no answer key: the model\u2019s own numbers at that step decide. The three are a word, the word nearest to it, and the word nearest to both. The fourth comes from the quarter of all words farthest from them.",
  both: "Try it at two steps. Where the model\u2019s numbers mean nothing yet, no one can beat guessing. Looking at the map is cheating.",
  play: (step: number) => (step ? `Play at step ${count(step)}` : "Play before the first step"),
  playStill: "Play",
  again: "Play again, with other words",
  others: "Another step",
  waiting: "Drawing the words\u2026",
  withheld: "This file has no vectors, which the game needs. Open the run itself to play.",
  none: "This run has too few words to play with.",
  /** `step` is null in a run without steps. */
  round: (round: number, rounds: number, step: number | null) =>
    `Round ${round} of ${rounds}${step === null ? "" : step ? `, step ${count(step)}` : ", before the first step"}`,
  soFar: (right: number, answered: number, chance: number) =>
    `${right} right so far. Guessing would get ${guessed(answered, chance)}.`,
  question: "Which is the odd one out?",
  keys: "Keys 1 to 4 answer, too.",
  right: (odd: string) => `Right: \u201c${odd}\u201d is the odd one out.`,
  wrong: (odd: string, chosen: string) =>
    `No: it is \u201c${odd}\u201d. To the model, \u201c${chosen}\u201d belongs with the other two.`,
  isOdd: "the odd one out",
  yours: "your answer",
  three: "The three",
  odd: (word: string) => `\u201c${word}\u201d with them`,
  pair: (a: string, b: string) => `${a} \u2013 ${b}`,
  cosine: (value: number) => fixed(value, 2),
  cosines:
    "How alike two words\u2019 numbers are (cosine): 1 is the same direction, 0 what two random arrows have on average.",
  next: "Next",
  last: "See score",
  score: (right: number, rounds: number, chance: number) =>
    `${right} of ${rounds} right. Guessing would get ${guessed(rounds, chance)}.`,
  tail: (share: number): string =>
    `Guessing alone gets that far in ${game.often(share)}. ${share > USUAL ? "So luck can explain this score." : "Luck hardly explains this score."}`,
  scores: "Your games on this run",
  columns: { step: "step", right: "right", chance: "by guessing", tail: "luck gets there in" },
  ofRounds: (right: number, rounds: number) => `${count(right)} of ${count(rounds)}`,
  often(share: number): string {
    if (share > 0.995) return share === 1 ? "every game" : "nearly every game";
    if (share >= 0.01) return `${Math.round(100 * share)} of 100 games`;
    if (share >= 0.001) return `${Math.round(1_000 * share)} of 1,000 games`;
    return "less than 1 of 1,000 games";
  },
} as const);
