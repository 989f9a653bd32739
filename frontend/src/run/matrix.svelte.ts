/** The embedding at the step that is shown, and at another to compare it with: fetched while somebody looks. */

import type { Rows } from "../wire/frames";
import { fetchMatrix } from "../wire/matrix";
import { Answer } from "./answer.svelte";

/** More bytes than this are fetched only when somebody says so. */
export const LARGE = 16_000_000;
/** Milliseconds after which a step is asked for: while somebody drags through the steps only the last one is. */
const SETTLE = 250;

export class Matrices {
  readonly now: Answer<Rows>;
  readonly then: Answer<Rows>;

  constructor(run: string) {
    const fetch = (step: string, signal: AbortSignal) => fetchMatrix(run, Number(step), signal);
    this.now = new Answer(fetch);
    this.then = new Answer(fetch);
  }

  /** `against`: the step to take away; null: none. `version`: of the attempts: in another, a step is another. */
  ask(step: number, against: number | null, version: number) {
    this.now.ask(String(step), { late: SETTLE, version });
    this.then.ask(against === null ? null : String(against), { late: SETTLE, version });
  }

  close() {
    this.now.close();
    this.then.close();
  }
}
