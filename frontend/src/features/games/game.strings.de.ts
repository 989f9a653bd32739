/** German texts of the game *Odd one out*. */

import { guessed, USUAL } from "../../strings/amounts";
import type { game as english } from "./game.strings";
import { count, fixed } from "../../strings/numbers";
import type { Translated } from "../../strings/translation";

export const game: Translated<typeof english> = {
  about:
    "Vier Wörter. Für drei davon hat das Modell ähnliche Zahlen; das vierte liegt weit weg von allen dreien. Welches ist es?",
  rule: "Es gibt keine Lösungsliste: Die Zahlen des Modells bei diesem Schritt entscheiden. Die drei sind ein Wort, das ihm nächste und das beiden nächste. Das vierte gehört zum Viertel der Wörter, die am weitesten entfernt sind.",
  both: "Spiele bei zwei Schritten. Wo die Zahlen des Modells noch nichts bedeuten, kann niemand besser sein als der Zufall. Auf die Karte schauen ist geschummelt.",
  play: (step) => (step ? `Bei Schritt ${count(step)} spielen` : "Vor dem ersten Schritt spielen"),
  playStill: "Spielen",
  again: "Noch einmal, mit anderen Wörtern",
  others: "Ein anderer Schritt",
  waiting: "Die Wörter werden gezogen …",
  withheld:
    "Diese Datei enthält keine Vektoren, mit denen gespielt wird. Öffne dafür den Lauf selbst.",
  none: "Dieser Lauf hat zu wenige Wörter zum Spielen.",
  round: (round, rounds, step) =>
    `Runde ${round} von ${rounds}${step === null ? "" : step ? `, Schritt ${count(step)}` : ", vor dem ersten Schritt"}`,
  soFar: (right, answered, chance) =>
    `Bisher ${right} richtig. Raten brächte ${guessed(answered, chance)}.`,
  question: "Welches Wort passt nicht dazu?",
  keys: "Die Tasten 1 bis 4 antworten auch.",
  right: (odd) => `Richtig: „${odd}“ passt nicht dazu.`,
  wrong: (odd, chosen) =>
    `Nein: Es ist „${odd}“. Für das Modell liegt „${chosen}“ nahe bei den beiden anderen.`,
  isOdd: "passt nicht dazu",
  yours: "deine Antwort",
  three: "Die drei",
  odd: (word) => `„${word}“ mit ihnen`,
  pair: (a, b) => `${a} – ${b}`,
  cosine: (value) => fixed(value, 2),
  cosines:
    "Wie ähnlich die Zahlen zweier Wörter sind (Kosinus): 1 ist dieselbe Richtung, 0 haben zwei zufällige Pfeile im Mittel.",
  next: "Weiter",
  last: "Zum Ergebnis",
  score: (right, rounds, chance) =>
    `${right} von ${rounds} richtig. Raten brächte ${guessed(rounds, chance)}.`,
  tail: (share) =>
    `Raten allein kommt so weit in ${game.often(share)}. ${share > USUAL ? "Glück kann dieses Ergebnis also erklären." : "Glück erklärt dieses Ergebnis kaum."}`,
  scores: "Deine Spiele mit diesem Lauf",
  columns: { step: "Schritt", right: "richtig", chance: "durch Raten", tail: "Glück reicht in" },
  ofRounds: (right, rounds) => `${count(right)} von ${count(rounds)}`,
  often(share) {
    if (share > 0.995) return share === 1 ? "jedem Spiel" : "fast jedem Spiel";
    if (share >= 0.01) return `${Math.round(100 * share)} von 100 Spielen`;
    if (share >= 0.001) return `${Math.round(1_000 * share)} von ${count(1_000)} Spielen`;
    return `weniger als 1 von ${count(1_000)} Spielen`;
  },
};
