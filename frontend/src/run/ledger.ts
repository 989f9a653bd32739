/**
 * What every row has been through: how often it was in a batch, when last, and how strong its gradient
 * was then. Begun from a census, kept up with pulses (merged ones too: counting is what they are for).
 */

import { NEVER, type Census, type Pulse } from "../wire/frames";

export class Ledger {
  readonly touches: Uint32Array;
  /** Step a row was last in a batch; `NEVER` if in none. */
  readonly lastLit: Uint32Array;
  /** Gradient norm at the last step seen here that gave the row one; NaN before. */
  readonly gradient: Float32Array;
  attempt = 0;
  /** The last step counted. */
  step = 0;

  /** `span`: how many steps back `litRecently` looks. */
  constructor(
    readonly vocabulary: number,
    readonly span = 100,
  ) {
    this.touches = new Uint32Array(vocabulary);
    this.lastLit = new Uint32Array(vocabulary).fill(NEVER);
    this.gradient = new Float32Array(vocabulary).fill(NaN);
  }

  begin(census: Census) {
    if (census.vocabulary !== this.vocabulary) return;
    this.touches.set(census.touches);
    this.lastLit.set(census.lastLit);
    this.attempt = census.attempt;
    this.step = census.step;
  }

  add(pulse: Pulse) {
    if (pulse.vocabulary !== this.vocabulary) return;
    if (pulse.attempt === this.attempt && pulse.step <= this.step) return;
    const { batchIds, batchCounts, gradientIds, gradientNorms, step } = pulse;
    const steps = step - pulse.firstStep + 1;
    for (let i = 0; i < batchIds.length; i++) {
      const id = batchIds[i]!;
      // A merged pulse does not say in how many of its steps a row was; at least one, at most this.
      this.touches[id] = this.touches[id]! + Math.min(steps, batchCounts[i]!);
      this.lastLit[id] = step;
    }
    for (let i = 0; i < gradientIds.length; i++) {
      this.gradient[gradientIds[i]!] = gradientNorms[i]!;
    }
    this.attempt = pulse.attempt;
    this.step = step;
  }

  /** Rows in a batch of the last `span` steps, and how many steps that is at most. */
  litRecently(): { rows: number; steps: number } {
    let rows = 0;
    const from = Math.max(0, this.step - this.span);
    for (const last of this.lastLit) if (last !== NEVER && last > from) rows += 1;
    return { rows, steps: this.step - from };
  }

  /** Rows in a batch at least once. */
  everLit(): number {
    let rows = 0;
    for (const last of this.lastLit) if (last !== NEVER) rows += 1;
    return rows;
  }
}
