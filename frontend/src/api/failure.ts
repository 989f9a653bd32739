/** Failures as a code and facts. `strings/failures.ts` has the words for them. */

import type { ReasonCode } from "./rest-types";

/** A reason of the server as a code with values. Words of people may be in it. Hostile. */
export interface KnownReason {
  readonly code: ReasonCode;
  readonly values: Readonly<Record<string, number | string>>;
}

/** The reason why something could not be done. */
export type Failure =
  /** A reason already in English: the server's, or a decoder's. With `known` the page has words of its own for it. */
  | { code: "said"; reason: string; known?: KnownReason }
  /** A request that must be confirmed: the reason says what it takes. */
  | { code: "unconfirmed"; reason: string; known?: KnownReason }
  /** Fields of the request that were rejected; `reason` is null if the server gave none. */
  | { code: "invalid"; faults: { field: string; reason: string | null }[] }
  | { code: "silent" | "broken" }
  | { code: "noMatrix" | "noLayout" | "noSuchMap" | "otherVocabulary" | "noToken" }
  /** A stored view that is not one, or of a newer version; a request that only the presenter may make. */
  | { code: "noView" | "newerView" | "presenterOnly" }
  /** Text of a token that a view names and the vocabulary lacks. Hostile. */
  | { code: "noWord"; word: string }
  | { code: "noMapAt" | "noStep"; step: number };

/** An error response, or one of the wrong kind. Status 0: no valid response at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly failure: Failure,
  ) {
    super("reason" in failure ? failure.reason : failure.code);
  }

  /** Return whether the server understood the request and refused it; asking again will not help. */
  get refused(): boolean {
    return this.status >= 400 && this.status < 500;
  }
}

/** Return the failure of an error response; throw any other error. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof ApiError)) throw error;
  return error.failure;
}

/** Make a failure of a reason that is already in words. */
export function reasonGiven(reason: string): Failure {
  return { code: "said", reason };
}
