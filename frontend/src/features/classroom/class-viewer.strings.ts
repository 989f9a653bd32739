/** Texts of a viewer's side of a class, which load with it, and of the answers of a class, which both sides show. */

import { figure } from "../../strings/amounts";
import { count } from "../../strings/numbers";
import { table } from "../../strings/translation";

const withUnit = (value: number, unit: string) =>
  unit === "%" ? `${figure(value)} %` : `${figure(value)}${unit && ` ${unit}`}`;

export const classViewer = table("classViewer", {
  outside: "You are not in the class any more.",
  outsideMore: "With the code on the wall you can join again.",
  joinAgain: "Join again",
  following: "Following the presenter",
  followingMore: "You see what the presenter shows. Touch anything, and you look around alone.",
  straying: "Looking around",
  rejoin: "Back to the presenter",
  helping: "You help the presenter: pause and pace are at the bottom.",
  point: (word: string) => `Point at “${word}”`,
  pointHint: "Choose a word, and you can point at it for all.",
  unpoint: "Stop pointing",
  pointed: (word: string) => `Look at “${word}”`,

  question: "A question",
  ask: "What do you think?",
  field: (unit: string) => (unit ? `Your answer, in ${unit}` : "Your answer"),
  between: (low: number, high: number) => `From ${figure(low)} to ${figure(high)}.`,
  send: "Answer",
  change: "Change it",
  changeMore: "You can change it until no more answers are taken.",
  sending: "Sending …",
  unsent: "It has not arrived. Try again.",
  answered: (answered: number) =>
    answered > 1
      ? `${count(answered)} have answered`
      : `${answered ? "One" : "Nobody"} has answered${answered ? "" : " yet"}`,
  closed: "No more answers. Soon you see what happened.",
  yours: (value: number, unit: string) => `You said ${withUnit(value, unit)}.`,
  yourChoice: (choice: string) => `You said “${choice}”.`,
  none: "You did not answer.",
  fold: "Make it small",
  unfold: "Show the question",

  measured: (value: number, unit: string, step: number) =>
    `It was ${withUnit(value, unit)} (measured at step ${count(step)}).`,
  measuredChoice: (choice: string, step: number) =>
    `It was “${choice}” (measured at step ${count(step)}).`,
  median: (value: number, unit: string) =>
    `Half of you said less than ${withUnit(value, unit)}, half more.`,
  nobody: "Nobody has answered.",
  chart: "Answers of the class",
  bin: (low: number, high: number, times: number) =>
    `${figure(low)} to ${figure(high)}: ${count(times)}`,
  bar: (choice: string, times: number) => `${choice}: ${count(times)}`,
  right: "what happened",
  own: "your answer",
} as const);
