/** Texts of failures, for those that the server could not word itself. */

import type { Failure } from "../api/failure";
import { printableToken } from "../api/vocabulary";
import { table } from "./translation";

export const failures = table("failures", {
  notAccepted: "not accepted",
  noMapAt: (step: number) => `The map of step ${step} is not kept any more.`,
  noStep: (step: number) => `There is no step ${step}.`,
  noWord: (word: string) => `There is no token “${word}” in this vocabulary.`,
  silent: "The server does not answer.",
  broken: "The answer broke off.",
  noMatrix: "What came is not a matrix.",
  noLayout: "What came is not a map.",
  noSuchMap: "This run has no map of that kind.",
  otherVocabulary: "another vocabulary",
  noView: "What came is not a view of this page.",
  newerView: "The view is from a newer version of this page.",
  presenterOnly: "Only the presenter can do this. Open Lamplighter by its launch link to present.",
  noToken: "The token that the link names is not in this vocabulary.",
} as const);

/** Return the text of a failure. */
export function failureText(failure: Failure): string {
  switch (failure.code) {
    case "said":
    case "unconfirmed":
      return failure.reason;
    case "invalid":
      return failure.faults
        .map(({ field, reason }) => `${field}: ${reason ?? failures.notAccepted}`)
        .join("; ");
    case "noMapAt":
    case "noStep":
      return failures[failure.code](failure.step);
    case "noWord":
      return failures.noWord(printableToken(failure.word));
    default:
      return failures[failure.code];
  }
}
