/** Failures as a code with values. `strings/failures.ts` has the texts. */

import type { ReasonCode } from "./rest-types";

/** A reason of the server as a code with values, which may quote user text. Hostile. */
export interface KnownReason {
  readonly code: ReasonCode;
  readonly values: Readonly<Record<string, number | string>>;
}

/** Why an operation failed. */
export type Failure =
  /**
   * A reason already in English, from the server or a decoder. With `known` the page has its own text for it.
   */
  | { code: "said"; reason: string; known?: KnownReason }
  /** A request that must be confirmed: the reason says what it costs. */
  | { code: "unconfirmed"; reason: string; known?: KnownReason }
  /** Fields of the request that were rejected; `reason` is null if the server gave none. */
  | { code: "invalid"; faults: { field: string; reason: string | null }[] }
  | { code: "silent" | "broken" }
  | { code: "noMatrix" | "noLayout" | "noSuchMap" | "otherVocabulary" | "noToken" }
  /** A request reserved for the presenter. */
  | { code: "presenterOnly" }
  /** Text of a token that a view names and the vocabulary lacks. Hostile. */
  | { code: "noWord"; word: string }
  | { code: "noMapAt" | "noStep"; step: number };

/** An error response, or one of the wrong type. Status 0: no valid response at all. */
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

/** Return a failure with a reason that is already in words. */
export function reasonGiven(reason: string): Failure {
  return { code: "said", reason };
}
