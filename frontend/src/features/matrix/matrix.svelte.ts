/** The embedding matrix at the displayed step, and at another step for comparison, fetched while on screen. */

import type { Rows } from "../../api/frames";
import { fetchMatrix } from "../../api/matrix";
import { Query } from "../../state/query/query.svelte";

/** Size in bytes above which a matrix is fetched only on demand. */
export const LARGE_MATRIX_BYTES = 16_000_000;
/** Debounce in ms: during a scrub only the last step is requested. */
const DEBOUNCE = 250;

export class ComparedMatrices {
  readonly current = new Query<Rows>();
  readonly subtracted = new Query<Rows>();

  constructor(private readonly run: string) {}

  /**
   * Request both matrices. `against`: the step to subtract; null: none. `version` identifies the lineage:
   * after another attempt the same step is fetched again.
   */
  request(step: number, against: number | null, version: number) {
    const question = (of: number) => ({
      key: `${of} ${version}`,
      fetch: (signal: AbortSignal) => fetchMatrix(this.run, of, signal),
    });
    this.current.ask(question(step), DEBOUNCE);
    this.subtracted.ask(against === null ? null : question(against), DEBOUNCE);
  }

  close() {
    this.current.close();
    this.subtracted.close();
  }
}
