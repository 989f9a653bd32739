/**
 * The embedding at the step shown, and at another to compare it with, fetched while they are on
 * screen.
 */

import type { Rows } from "../../api/frames";
import { fetchMatrix } from "../../api/matrix";
import { Answer } from "../query/query.svelte";

/** Size in bytes above which a matrix is fetched only on demand. */
export const LARGE = 16_000_000;
/** Debounce in ms: during a scrub only the last step is requested. */
const SETTLE = 250;

export class Matrices {
  readonly now: Answer<Rows>;
  readonly then: Answer<Rows>;

  constructor(run: string) {
    const fetch = (step: string, signal: AbortSignal) => fetchMatrix(run, Number(step), signal);
    this.now = new Answer(fetch);
    this.then = new Answer(fetch);
  }

  /**
   * Request both matrices. `against`: the step to subtract; null: none. `version` identifies the
   * lineage: after another attempt the same step is fetched again.
   */
  ask(step: number, against: number | null, version: number) {
    this.now.ask(String(step), { late: SETTLE, version });
    this.then.ask(against === null ? null : String(against), { late: SETTLE, version });
  }

  close() {
    this.now.close();
    this.then.close();
  }
}
