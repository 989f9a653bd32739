/** The phases of a run. */

import type { Phase } from "../api/rest-types";

const ENDED: ReadonlySet<Phase> = new Set(["finished", "interrupted", "failed"]);

/** Steps by which "Continue" extends a finished run. */
export const CONTINUE_STEPS = 2_000;

/** Return whether training is over unless continued; false while the phase is not known. */
export function hasEnded(phase: Phase | undefined): boolean {
  return phase !== undefined && ENDED.has(phase);
}
