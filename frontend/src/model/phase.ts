/** The phases of a run. */

import type { Phase } from "../api/rest-types";

const ENDED: ReadonlySet<Phase> = new Set(["finished", "interrupted", "failed"]);

/** Return whether training is over, unless somebody continues it; false while the phase is not known. */
export function hasEnded(phase: Phase | undefined): boolean {
  return phase !== undefined && ENDED.has(phase);
}
