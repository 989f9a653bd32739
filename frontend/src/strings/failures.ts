/** Texts of failures, and of the server's reason codes. */

import type { Failure, KnownReason } from "../api/failure";
import type { ReasonCode } from "../api/rest-types";
import { printableText, printableToken } from "../api/vocabulary";
import { count } from "./numbers";
import { table } from "./translation";

type Values = KnownReason["values"];
type Sentence = (sentence: string, code?: ReasonCode | null, values?: Values) => string;

const inItsWords: Sentence = (sentence) => sentence;

export const failures = table("failures", {
  notAccepted: "not accepted",
  noMapAt: (step: number) => `The map of step ${count(step)} is no longer saved.`,
  noStep: (step: number) => `There is no step ${count(step)}.`,
  noWord: (word: string) => `“${word}” is not in this vocabulary.`,
  silent: "The server does not answer.",
  broken: "The answer was cut off.",
  noMatrix: "The answer is not a matrix.",
  noLayout: "The answer is not a map.",
  noSuchMap: "This run has no map of that kind.",
  otherVocabulary: "another vocabulary",
  presenterOnly: "Only the presenter can do this. Open Lamplighter by its launch link to present.",
  noToken: "The word in the link is not in this vocabulary.",
  /** A reason without a text of the page's own, in the server's words. */
  other: inItsWords,
} as const);

type Text = string | ((values: Values) => string);
const number = (value: number | string | undefined) => count(Number(value ?? 0));
const words = (value: number | string | undefined) => printableToken(String(value ?? ""));

/** Why the server refused a request. */
export const reasons = table("reasons", {
  recorded_elsewhere:
    "This run was recorded from another training loop, so its model is not here to ask.",
  sampled_softmax: "A step of this run only estimates its loss (sampled softmax).",
  run_not_begun: "This run has not started, so there is no model to ask yet.",
  step_not_reached: ({ step, newest }) =>
    `This run is at step ${number(newest)}: it has not reached step ${number(step)} yet.`,
  question_too_long: "This would take too long: ask for less, or ask a smaller run.",
  unknown_words: ({ words: unknown, similar }) =>
    `The model has never read “${words(unknown)}”. ${similar ? `Try a word it has read: ${words(similar)}` : "Use words of its text"}.`,
  no_words: "Write at least one word.",
  too_many_words: ({ words: given, most }) =>
    `That is ${number(given)} words: the model reads at most ${number(most)}.`,
  too_few_words: ({ fewest }) => `Write at least ${number(fewest)} words.`,
  one_word_wanted: ({ word }) => `“${words(word)}” is more than one word here.`,
  nothing_changed: "Nothing would change: choose another word or step.",
  too_many_questions: ({ most }) => `${number(most)} questions are waiting. Ask again later.`,
  imported_run_takes: ({ threads, megabytes, layers, width, parameters }) =>
    `This run was imported. Its model takes ${number(megabytes)} MB of memory and ${number(threads)} threads here: ${number(layers)} layers of width ${number(width)}, ${number(parameters)} parameters.`,
  upload_gone: "The text is no longer on the server: send it again.",
  text_too_large: ({ most }) => `The text is too large: at most ${number(most)} MB are allowed.`,
  text_not_plain:
    "This isn’t plain text. Word documents and PDFs can’t be read: save it as UTF-8 text.",
  text_empty: ({ needed }) => `The text is empty: ${number(needed)} words are needed.`,
  text_too_short: ({ words: given, needed, clear }) =>
    `The text has ${number(given)} words: ${number(needed)} are needed, and about ${number(clear)} for clear neighbourhoods.`,
  disk_nearly_full:
    "The disk is nearly full, and the rest is reserved for training: free some space first.",
  disk_full:
    "The disk is full: free some space. Nothing recorded is lost, and training resumes by itself.",
  server_busy: "The server is busy: try again in a moment.",
} satisfies Partial<Record<ReasonCode, Text>>);

/** Codes whose English text is the server's own sentence. */
export type ToldByServer = Exclude<ReasonCode, keyof typeof reasons>;

/** What a server says to a person: a code with values beside its English sentence. Hostile. */
interface Told {
  readonly code?: ReasonCode | null;
  readonly values?: Values;
}

/** Return the text of a sentence that came with its code, if it has one. */
export function toldText(sentence: string, { code, values = {} }: Told): string {
  // A newer server may have more codes.
  const text = code && (reasons as Partial<Record<ReasonCode, Text>>)[code];
  if (typeof text === "function") return text(values);
  if (text || !sentence) return text || "";
  // The server's sentence begins with the name of a field, or at least small.
  const said = failures.other(sentence.replace(/^[a-z_.]+: /, ""), code, values);
  return printableText(said.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase()));
}

/** Return the text of a failure. */
export function failureText(failure: Failure): string {
  switch (failure.code) {
    case "said":
    case "unconfirmed":
      return toldText(failure.reason, failure.known ?? {});
    case "invalid":
      return failures.other(
        failure.faults
          .map(({ field, reason }) => `${field}: ${reason ?? failures.notAccepted}`)
          .join("; "),
      );
    case "noMapAt":
    case "noStep":
      return failures[failure.code](failure.step);
    case "noWord":
      return failures.noWord(printableToken(failure.word));
    default:
      return failures[failure.code];
  }
}
