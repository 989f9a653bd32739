/** What went wrong, as a code and the facts of it. The words for it stand in `strings/failures`. */

export type Failure =
  /** Somebody gave the reason in words of their own: the server, or who read its bytes. */
  | { code: "said"; reason: string }
  /** Fields of what was sent are wrong; null where the server does not say how. */
  | { code: "invalid"; faults: { field: string; reason: string | null }[] }
  | { code: "silent" | "broken" }
  | { code: "noMatrix" | "noLayout" | "noSuchMap" | "otherVocabulary" | "noToken" }
  | { code: "noMapAt" | "noStep"; step: number };

/** An answer that is not 2xx, or that is not what was asked for. Status 0: no answer at all. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly failure: Failure,
  ) {
    super(failure.code === "said" ? failure.reason : failure.code);
  }
}

/** Makes a failure of the reason that somebody gives. */
export function said(reason: string): Failure {
  return { code: "said", reason };
}
