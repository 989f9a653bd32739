/** Texts of the panel for questions to the model; they load with it. */

import type { ExperimentName } from "../model/view/view-options";
import type { ViewChange } from "../model/view/view-state";
import { percent, tiny } from "./amounts";
import { failureText } from "./failures";
import { count } from "./numbers";
import { table } from "./translation";

export const ask = table("ask", {
  field: "Words for the model",
  hint: "the dog",
  /** Groups of the experiments. */
  withWords: "With your words",
  wordless: "About the city and how it is trained",
  /** Name of each experiment, a sentence about it, its button, and the heading of its examples. */
  experiment: {
    speak: {
      name: "Say",
      does: "The model goes on with what you write.",
      send: "Ask",
      try: "Let it go on with",
    },
    what_if: {
      name: "Teach it",
      does: "Tell it something, true or not, and see when it believes you.",
      send: "Teach",
      try: "Tell it a lie",
    },
    transplant: {
      name: "Swap",
      does: "Give a word the numbers of another, and let it go on with what you write.",
      send: "Swap",
      try: "Try a swap",
    },
    probe: {
      name: "Look inside",
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
    bench: {
      name: "Bench",
      does: "Four rules of training read the same batches. Which rows does each of them move?",
      send: "Train all four",
      try: "",
    },
    batch_sizes: {
      name: "Batch size",
      does: "The city sleeps only because a batch is small. How large must it be to wake everybody?",
      send: "Count",
      try: "",
    },
    environment: {
      name: "Another town",
      does: "A copy moves to a town where every word has another’s job. What does it forget first?",
      send: "Move there",
      try: "",
    },
    deciles: {
      name: "Rare words",
      does: "How well does it know the words that it seldom reads?",
      send: "Measure",
      try: "",
    },
    substitution: {
      name: "Stand in",
      does: "A word takes another’s place in sentences that the model never read. Who may stand in for whom?",
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
  answerGone:
    "The answer that was to be shown here is gone, or still on its way. You can ask again.",
  recorded:
    "This run has no model here: its numbers were recorded in another program, so nobody can ask it.",
  viewer: "Only the presenter can ask. You see what was asked so far.",
  file: "This page is a file, in which nobody can ask. You see what was asked before it was made.",
  nothingYet: "Nothing was asked yet.",
  before: "Asked before",
  sending: "Sending the question",
  waking: "Waking the model",
  waiting: "Waiting: another question comes first",
  running: (activity: string) => activity || "Working",
  cancel: "Cancel",
  cancelled: "Taken back.",
  failed: "The question could not be answered.",
  /** The server's sentence, without the name of the field. */
  problem: (sentence: string) =>
    sentence.replace(/^[a-z_]+: /, "").replace(/^\p{Ll}/u, (letter) => letter.toUpperCase()),
  confirm: "Ask nevertheless",
  atStep: (step: number) => (step ? `At step ${count(step)}` : "Before the first step"),
  askAt: (step: number) => (step ? `Ask at step ${count(step)}` : "Ask before the first step"),
  askFirst: "Ask before it learned anything",
  likeliest: "Its likeliest words",
  byChance: "By chance",
  likeliestMore: "At each place the word that the model finds most likely.",
  byChanceMore:
    "At each place the model throws dice: a word that it finds twice as likely comes twice as often.",
  words: "What the model said. Arrow keys go from word to word and show what else it thought of",
  said: (line: string) => `It says: ${line}`,
  after: (words: string) => `After “${words}” it thought:`,
  took: "said",
  probability: (share: number) => percent(share),
  again: "Say it again",
  finish: "All at once",
  replayed: {
    equal: (from: number) =>
      `Computed again from ${from ? `step ${count(from)}` : "the start"}: equal to the record, bit for bit.`,
    loaded: (from: number) => `Read from what was kept of step ${count(from)}.`,
    start: "The model as it was before it read anything.",
    differs: (value: number | null) =>
      value === null
        ? "Recomputed here: it differs from the recording, as on another kind of computer."
        : `Recomputed here: it differs by ${tiny(value)} from the recording, as on another kind of computer.`,
    unknown: (from: number) =>
      `Computed again from step ${count(from)}; the record has nothing to compare it with.`,
  },
  steps: "The same words, step by step",
  stepsMore: "Click a line to go to its step.",
} as const);
