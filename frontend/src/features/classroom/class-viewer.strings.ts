/** Texts of a viewer's side of a class, which load with it, and of the answers of a class, which both sides show. */

import type { ClassQuestion } from "../../api/rest-types";
import { figure, withUnit } from "../../strings/amounts";
import { count } from "../../strings/numbers";
import { table } from "../../strings/translation";

export const classViewer = table("classViewer", {
  outside: "You are no longer in the class.",
  outsideMore: "Enter the code on the big screen to rejoin.",
  joinAgain: "Join again",
  following: "Following the presenter",
  followingMore: "You see what the presenter shows. Touch anything to explore by yourself.",
  straying: "Exploring",
  rejoin: "Back to the presenter",
  helping: "You are an assistant: pause and speed are at the bottom.",
  point: (word: string) => `Point out “${word}”`,
  pointHint: "Select a word to point it out to everyone.",
  unpoint: "Stop pointing",

  question: "A question",
  /** Return a question with its text, its unit and its choices in the page's language; the server sends English. */
  inWords: (question: ClassQuestion): ClassQuestion => question,
  ask: "What do you think?",
  field: (unit: string) => (unit ? `Your answer, in ${unit}` : "Your answer"),
  between: (low: number, high: number) => `From ${figure(low)} to ${figure(high)}.`,
  send: "Answer",
  change: "Change it",
  changeMore: "You can change it until answers close.",
  sending: "Sending…",
  unsent: "Not sent. Try again.",
  answered: (answered: number) =>
    answered > 1
      ? `${count(answered)} have answered`
      : answered
        ? "1 has answered"
        : "No answers yet",
  closed: "Answers are closed. The result is coming.",
  yours: (value: number, unit: string) => `You said ${withUnit(value, unit)}.`,
  yourChoice: (choice: string) => `You said “${choice}”.`,
  wrote: "Your answer is in.",
  nameless: "Without names, please. Only the presenter will read it.",
  none: "You did not answer.",
  fold: "Minimise",
  unfold: "Show the question",

  measured: (value: number, unit: string, step: number) =>
    `It was ${withUnit(value, unit)} (measured at step ${count(step)}).`,
  measuredChoice: (choice: string, step: number) =>
    `It was “${choice}” (measured at step ${count(step)}).`,
  median: (value: number, unit: string) =>
    `Half of you said less than ${withUnit(value, unit)}, half more.`,
  nobody: "No answers.",
  chart: "Answers of the class",
  bin: (low: number, high: number, times: number) =>
    `${figure(low)} to ${figure(high)}: ${count(times)}`,
  bar: (choice: string, times: number) => `${choice}: ${count(times)}`,
  right: "what happened",
  own: "your answer",
} as const);
