/** Texts of the course with a class. */

import { count } from "../../strings/numbers";
import { table } from "../../strings/translation";

export const lessonClass = table("lessonClass", {
  notLed: "The class is not following you, so it is not asked this.",
  lead: "Let the class follow me",
  answered: (answered: number, connected: number) =>
    `${count(answered)} of ${count(Math.max(answered, connected))} have answered`,
  goOn: "Moving on closes the answers.",
  over: "Answers are closed.",
  everybody: "The whole class is asked this. Answers are anonymous.",
  arrived: "Your guess is in. Wait for the presenter to move on.",
  sending: "Sending…",
  change: "Change my guess",
  guessed: (answers: number) =>
    `The class: ${count(answers)} ${answers === 1 ? "guess" : "guesses"}.`,
  guessedAround: (answers: number, middle: string) =>
    answers === 1
      ? `The class: one guess, ${middle}.`
      : `The class: ${count(answers)} guesses. Half of them are ${middle} or less, half are ${middle} or more.`,
  pictureLabel: (dots: number) =>
    dots ? `The class's guesses at ${count(dots)} ${dots === 1 ? "question" : "questions"}.` : "",
  pictureMore:
    "A diamond is the middle of the class's guesses, and its line spans the middle half of them.",
  file: "All guesses of the class in the course, without names.",
  marks: (own: boolean) => (own ? "Line: measured. Dashed line: your guess." : "Line: measured."),
} as const);
