/** Texts of failures, for those that the server could not word itself. */

import type { Failure } from "../api/failure";
import { printableToken } from "../api/vocabulary";
import { transport } from "./transport";

/** Return the text of a failure. */
export function failureText(failure: Failure): string {
  switch (failure.code) {
    case "said":
    case "unconfirmed":
      return failure.reason;
    case "invalid":
      return failure.faults
        .map(({ field, reason }) => `${field}: ${reason ?? "not accepted"}`)
        .join("; ");
    case "noMapAt":
      return `The map of step ${failure.step} is not kept any more.`;
    case "noStep":
      return `There is no step ${failure.step}.`;
    case "noWord":
      return `There is no token “${printableToken(failure.word)}” in this vocabulary.`;
    default:
      return SENTENCES[failure.code];
  }
}

const SENTENCES = {
  silent: "The server does not answer.",
  broken: "The answer broke off.",
  noMatrix: "What came is not a matrix.",
  noLayout: "What came is not a map.",
  noSuchMap: "This run has no map of that kind.",
  otherVocabulary: "another vocabulary",
  noView: "What came is not a view of this page.",
  newerView: "The view is from a newer version of this page.",
  presenterOnly: transport.transport.viewer,
  noToken: "The token that the link names is not in this vocabulary.",
} as const;
