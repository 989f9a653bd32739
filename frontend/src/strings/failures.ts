/** Texts of failures, and of the server's reason codes. */

import * as english from "../../../backend/lamplighter/contract/texts/en.json";
import type { Failure } from "../api/failure";
import type { ReasonCode } from "../api/rest-types";
import { printableText, printableToken } from "../api/vocabulary";
import { tell, type Values } from "./fields";
import { count } from "./numbers";
import { table } from "./translation";

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
  other: (sentence: string) => sentence,
} as const);

/**
 * The catalogue's texts of refusals whose server's sentence is longer or names fields of the request. Any other
 * sentence of the server is already the catalogue's: only another language has all of them.
 */
export const reasons: Partial<Record<string, string>> = table("reasons", {
  recorded_elsewhere: english.recorded_elsewhere,
  sampled_softmax: english.sampled_softmax,
  run_not_begun: english.run_not_begun,
  step_not_reached: english.step_not_reached,
  question_too_long: english.question_too_long,
  unknown_words: english.unknown_words,
  unknown_words__similar_none: english.unknown_words__similar_none,
  no_words: english.no_words,
  too_many_words: english.too_many_words,
  too_few_words: english.too_few_words,
  one_word_wanted: english.one_word_wanted,
  nothing_changed: english.nothing_changed,
  too_many_questions: english.too_many_questions,
  imported_run_takes: english.imported_run_takes,
  upload_gone: english.upload_gone,
  text_too_large: english.text_too_large,
  text_not_plain: english.text_not_plain,
  text_empty: english.text_empty,
  text_too_short: english.text_too_short,
  disk_full: english.disk_full,
  server_busy: english.server_busy,
});

/** What a server says to a person: a code with values beside its English sentence. Hostile. */
interface Told {
  readonly code?: ReasonCode | null;
  readonly values?: Values;
}

/** Return the text of a sentence that came with its code, if it has one. */
export function toldText(sentence: string, { code, values = {} }: Told): string {
  // A newer server may have more codes. The server's sentence begins with the name of a field, or at least small.
  const known = code ? tell(reasons, code, values) : "";
  const said = known || (sentence && failures.other(sentence.replace(/^[a-z_.]+: /, "")));
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
