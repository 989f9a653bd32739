/** Texts of the panel for questions to the model; they load with it. */

import type { Examination } from "../api/rest-types";
import type { ExperimentName } from "../model/view/view-options";
import type { ViewChange } from "../model/view/view-state";
import { tiny } from "./amounts";
import { percent } from "./shares";
import { toldText } from "./failures";
import { count } from "./numbers";
import { table } from "./translation";

export const ask = table("ask", {
  field: "Words for the model",
  hint: "the dog",
  /** The placeholder of the line below the map. */
  begin: (words: string) => `${words} …`,
  /** Name of each experiment, a sentence about it, its button, and the heading of its examples. */
  experiment: {
    speak: {
      name: "Continue",
      does: "Type something; the model continues it.",
      send: "Continue",
      try: "Let it continue",
    },
    what_if: {
      name: "Teach",
      does: "Tell it something, true or not, and see when it believes you.",
      send: "Teach",
      try: "Tell it a lie",
    },
    transplant: {
      name: "Swap",
      does: "Give a word the numbers of another, and let the model continue your text.",
      send: "Swap",
      try: "Try a swap",
    },
    probe: {
      name: "Attention",
      does: "See which words of your sentence look at which.",
      send: "Look",
      try: "Look into",
    },
    rotation: {
      name: "Turn the space",
      does: "Change every number at once. What is lost?",
      send: "Turn it",
      try: "",
    },
    heads: {
      name: "Heads",
      does: "What does each attention head look at, and since which step?",
      send: "Look",
      try: "",
    },
    acquisition: {
      name: "When learned",
      does: "By which step had the model learned each word, and which words come early?",
      send: "Find out",
      try: "",
    },
    bench: {
      name: "Bench",
      does: "Four training rules read the same batches. Which rows does each of them move?",
      send: "Train all four",
      try: "",
    },
    batch_sizes: {
      name: "Batch size",
      does: "The city sleeps only because a batch is small. How large must it be to wake every word?",
      send: "Count",
      try: "",
    },
    environment: {
      name: "Another town",
      does: "A copy moves to a town where every word’s role is swapped with another’s. What does it forget first?",
      send: "Move there",
      try: "",
    },
    deciles: {
      name: "Rare words",
      does: "How well does it know the words that it rarely reads?",
      send: "Measure",
      try: "",
    },
    substitution: {
      name: "Stand in",
      does: "A word takes another’s place in sentences that the model has never read. Which can stand in for which?",
      send: "Replace",
      try: "",
    },
  } satisfies Record<ExperimentName, { name: string; does: string; send: string; try: string }>,
  /** A question in a few words. */
  named: ({ ask, say, times, into, source, other, second }: ViewChange) =>
    [
      say ?? "",
      times ? `${times} ×` : "",
      into && source ? `${source} → ${into}` : into ? `${into} of step ${count(other ?? 0)}` : "",
      ask === "transplant" && !into ? `all of step ${count(other ?? 0)}` : "",
      ask === "probe" && other ? `beside step ${count(other)}` : "",
      second ?? "",
    ]
      .filter(Boolean)
      .join(" · "),
  /** A question with its settings, in words; `view`: the settings of the view that asks it. */
  askedWith: (question: Record<string, unknown>, view: ViewChange): string => {
    const steps = (number: unknown) =>
      number === 1 ? "1 step" : `${count(Number(number) || 0)} steps`;
    if (question.kind === "bench") return `After ${steps(question.steps)} of training.`;
    if (question.kind === "environment")
      return `After ${steps(question.steps)} there, and ${steps(question.back)} back home.`;
    return ask.named({ ...view, ask: question.kind as ExperimentName });
  },
  broken: "This answer cannot be shown: it is not whole.",
  answerGone: "The answer that belongs here is gone, or still on its way. You can ask again.",
  recorded:
    "This run was recorded in another program, so its model is not here and cannot be asked.",
  viewer:
    "This browser can only watch. To ask, open the link that Lamplighter printed when it started. You see what was asked so far.",
  inClass: "Your presenter asks the model. You see every question and its answer here.",
  file: "This page is a file without the model. You see what was asked before it was saved.",
  nothingYet: "No questions yet.",
  before: "Asked before",
  waking: "Waking the model",
  waiting: "Waiting for an earlier question",
  working: "Working",
  cancel: "Cancel",
  cancelled: "Cancelled.",
  failed: "The question could not be answered.",
  confirm: "Ask anyway",
  atStep: (step: number) => (step ? `At step ${count(step)}` : "Before the first step"),
  askAt: (step: number) =>
    step ? `Recompute step ${count(step)} exactly` : "Ask the untrained model",
  askFirst: "Ask the untrained model",
  likeliest: "Most likely",
  byChance: "Sampled",
  likeliestMore: "At each place, the word that the model rates most likely.",
  byChanceMore: "It samples: a word rated twice as likely turns up twice as often.",
  words: "What the model said. Arrow keys go from word to word and show its other guesses",
  said: (line: string) => `It says: ${line}`,
  after: (words: string) => `Top guesses after “${words}”`,
  probability: (share: number) => percent(share),
  again: "Say it again",
  finish: "All at once",
  replayed: {
    equal: (from: number) =>
      `Recomputed from ${from ? `step ${count(from)}` : "the start"}; matches the recording bit for bit.`,
    loaded: (from: number) => `From the model saved at step ${count(from)}.`,
    start: "The model before it had read anything.",
    differs: (value: number | null) =>
      value === null
        ? "Recomputed here: it differs from the recording, as on another kind of computer."
        : `Recomputed here: it differs by ${tiny(value)} from the recording, as on another kind of computer.`,
    unknown: (from: number) =>
      `Recomputed from step ${count(from)}; the recording has nothing to compare it with.`,
  },
  steps: "The same words, step by step",
  stepsMore: "Click a line to go to its step.",
} as const);

type Told = Pick<Examination, "code" | "values">;

/** Return why a question has no answer. Its sentence may quote user text. Hostile. */
export function endText({
  state,
  problem,
  ...told
}: Pick<Examination, "state" | "problem"> & Told) {
  if (state === "cancelled") return ask.cancelled;
  return problem ? toldText(problem, told) : ask.failed;
}

/** Return what the examiner is doing for a question. */
export function activityText({ activity, ...told }: Pick<Examination, "activity"> & Told) {
  return activity ? toldText(activity, told) : ask.working;
}
