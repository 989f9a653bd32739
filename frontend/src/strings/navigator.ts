/** Texts of the game *Neighbour navigator*. */

import { USUAL } from "./amounts";
import { game } from "./game";
import { count, fixed } from "./numbers";
import { table } from "./translation";

export const navigatorGame = table("navigatorGame", {
  about:
    "Get from one word to another. Wherever you stand you see the words that are nearest for the model, and go to one of them, until you are at the goal.",
  rule: "Nobody laid out these ways: the model\u2019s own numbers at that step decide which words are near one another, all of its numbers and not the map. Every goal can be reached.",
  both: "Try it at two steps. Where the model\u2019s numbers mean nothing yet, nobody can tell which word leads nearer to the goal.",
  waiting: "Looking for a start and a goal\u2026",
  /** `step` is null in a run without steps. */
  moves: (moves: number, step: number | null) =>
    `${step === null ? "" : step ? `Step ${count(step)}, ` : "Before the first step, "}${moves === 1 ? "1 move" : `${count(moves)} moves`} so far.`,
  possible: (fewest: number) => `The shortest way takes ${count(fewest)}.`,
  place: "You stand on",
  goal: "Your goal",
  question: (neighbours: number) => `Go to one of the ${count(neighbours)} nearest words:`,
  isGoal: "the goal",
  wasThere: "you were there",
  moved: (word: string, moves: number) =>
    `You stand on \u201c${word}\u201d. ${moves === 1 ? "1 move" : `${count(moves)} moves`} so far.`,
  back: "Go back",
  giveUp: "Give up and show a way",
  keys: (neighbours: number) => `Keys 1 to ${count(neighbours)} go there, Backspace goes back.`,
  backCounts: "A move that you take back stays counted: what you have seen there helps you.",
  most: (moves: number) => `A game ends after ${count(moves)} moves.`,
  frequent: (playing: number, words: number) =>
    `Only the ${count(playing)} most frequent of the ${count(words)} words of this run take part.`,
  there: (goal: string, moves: number, fewest: number) =>
    moves === fewest
      ? `You reached \u201c${goal}\u201d in ${count(moves)} moves. Nobody can do it in fewer.`
      : `You reached \u201c${goal}\u201d in ${count(moves)} moves. The shortest way takes ${count(fewest)}.`,
  givenUp: (goal: string, moves: number, fewest: number) =>
    `You did not reach \u201c${goal}\u201d (${moves === 1 ? "1 move" : `${count(moves)} moves`}). The shortest way takes ${count(fewest)}.`,
  luckSoFar: (share: number) =>
    `Somebody who picks at random, and takes the goal when it is listed, would be there by now in ${game.often(share)}.`,
  luck: (share: number) =>
    `Somebody who picks at random, and takes the goal when it is listed, is there within as many moves in ${game.often(share)}. ${share > USUAL ? "So luck can explain this." : "Luck hardly explains this."}`,
  lost: "In the table below, luck does as well as a game that you gave up.",
  yours: "Your way",
  shortest: "One of the shortest ways",
  reach: (start: string, words: number, all: number) =>
    `From \u201c${start}\u201d, ${words === all ? `all ${count(all)} words` : `only ${count(words)} of ${count(all)} words`} can be reached in this way.`,
  again: "Play again, with another start and goal",
  none: "This run has too few words for a game, or they all lie too close together.",
  columns: { reached: "at the goal", moves: "moves (fewest)", luck: "luck does as well in" },
  movesEach: (moves: number, fewest: number, reached: number) =>
    reached ? `${fixed(moves / reached, 1)} (${fixed(fewest / reached, 1)})` : "\u2013",
} as const);
