/** German texts of the game *Neighbour navigator*. */

import { USUAL } from "../amounts";
import type { navigatorGame as english } from "../navigator";
import { count, fixed } from "../numbers";
import type { Translated } from "../translation";
import { game } from "./game";

const moved = (moves: number) => (moves === 1 ? "1 Zug" : `${count(moves)} Züge`);
const afterMoves = (moves: number) => (moves === 1 ? "1 Zug" : `${count(moves)} Zügen`);

export const navigatorGame: Translated<typeof english> = {
  about:
    "Finde von einem Wort zu einem anderen. Wo du stehst, siehst du die Wörter, die für das Modell am nächsten liegen, und gehst zu einem davon, bis du am Ziel bist.",
  rule: "Niemand hat diese Wege angelegt: Die Zahlen des Modells bei diesem Schritt entscheiden, welche Wörter einander nahe sind, und zwar alle seine Zahlen und nicht die Karte. Jedes Ziel ist zu erreichen.",
  both: "Spiele bei zwei Schritten. Wo die Zahlen des Modells noch nichts bedeuten, kann niemand sagen, welches Wort näher ans Ziel führt.",
  waiting: "Start und Ziel werden gesucht …",
  moves: (moves, step) =>
    `${step === null ? "" : step ? `Schritt ${count(step)}, ` : "Vor dem ersten Schritt, "}bisher ${moved(moves)}.`,
  possible: (fewest) => `Der kürzeste Weg braucht ${count(fewest)}.`,
  place: "Du stehst auf",
  goal: "Dein Ziel",
  question: (neighbours) => `Geh zu einem der ${count(neighbours)} nächsten Wörter:`,
  isGoal: "das Ziel",
  wasThere: "hier warst du",
  moved: (word, moves) => `Du stehst auf „${word}“. Bisher ${moved(moves)}.`,
  back: "Zurück",
  giveUp: "Aufgeben und einen Weg zeigen",
  keys: (neighbours) =>
    `Die Tasten 1 bis ${count(neighbours)} gehen dorthin, die Rücktaste geht zurück.`,
  backCounts: "Ein Zug, den du zurücknimmst, zählt trotzdem: Was du dort gesehen hast, hilft dir.",
  most: (moves) => `Nach ${afterMoves(moves)} ist ein Spiel zu Ende.`,
  frequent: (playing, words) =>
    `Nur die ${count(playing)} häufigsten der ${count(words)} Wörter dieses Laufs spielen mit.`,
  there: (goal, moves, fewest) =>
    moves === fewest
      ? `Du hast „${goal}“ in ${afterMoves(moves)} erreicht. Mit weniger geht es nicht.`
      : `Du hast „${goal}“ in ${afterMoves(moves)} erreicht. Der kürzeste Weg braucht ${count(fewest)}.`,
  givenUp: (goal, moves, fewest) =>
    `Du hast „${goal}“ nicht erreicht (${moved(moves)}). Der kürzeste Weg braucht ${count(fewest)}.`,
  luckSoFar: (share) =>
    `Wer zufällig geht, und zum Ziel, sobald es dasteht, wäre inzwischen dort in ${game.often(share)}.`,
  luck: (share) =>
    `Wer zufällig geht, und zum Ziel, sobald es dasteht, ist mit so vielen Zügen dort in ${game.often(share)}. ${share > USUAL ? "Glück kann das also erklären." : "Glück erklärt das kaum."}`,
  lost: "In der Tabelle unten ist Glück so gut wie ein Spiel, das du aufgegeben hast.",
  yours: "Dein Weg",
  shortest: "Einer der kürzesten Wege",
  reach: (start, words, all) =>
    `Von „${start}“ aus sind so ${words === all ? `alle ${count(all)} Wörter` : `nur ${count(words)} von ${count(all)} Wörtern`} zu erreichen.`,
  again: "Noch einmal, mit anderem Start und Ziel",
  none: "Dieser Lauf hat zu wenige Wörter für ein Spiel, oder sie liegen alle zu dicht beisammen.",
  columns: { reached: "am Ziel", moves: "Züge (nötig)", luck: "Glück ist so gut in" },
  movesEach: (moves, fewest, reached) =>
    reached ? `${fixed(moves / reached, 1)} (${fixed(fewest / reached, 1)})` : "–",
};
