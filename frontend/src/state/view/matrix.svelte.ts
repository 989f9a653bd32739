/**
 * The embedding at the step shown, and at another to compare it with, fetched while they are on
 * screen.
 */

import type { Rows } from "../../api/frames";
import { fetchMatrix } from "../../api/matrix";
import { Query } from "../query/query.svelte";

/** Size in bytes above which a matrix is fetched only on demand. */
export const LARGE_MATRIX_BYTES = 16_000_000;
/** Debounce in ms: during a scrub only the last step is requested. */
const DEBOUNCE = 250;

export class ComparedMatrices {
  readonly current: Query<Rows>;
  readonly subtracted: Query<Rows>;

  constructor(run: string) {
    const fetch = (step: string, signal: AbortSignal) => fetchMatrix(run, Number(step), signal);
    this.current = new Query(fetch);
    this.subtracted = new Query(fetch);
  }

  /**
   * Request both matrices. `against`: the step to subtract; null: none. `version` identifies the
   * lineage: after another attempt the same step is fetched again.
   */
  request(step: number, against: number | null, version: number) {
    this.current.request(String(step), { delay: DEBOUNCE, version });
    this.subtracted.request(against === null ? null : String(against), {
      delay: DEBOUNCE,
      version,
    });
  }

  close() {
    this.current.close();
    this.subtracted.close();
  }
}
