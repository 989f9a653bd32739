/**
 * Touch counts: how often and when last each row was in a batch, and how strong its gradient was then. They
 * start from a census and follow the beats.
 */

import type { Beat } from "../api/beat-frames";
import { NEVER, type Census } from "../api/frames";
import type { StepLight } from "./light";

export class TouchCounts {
  readonly touches: Uint32Array;
  /** Last step with the row in its batch; `NEVER` if there is none. */
  readonly lastLit: Uint32Array;
  /** Gradient norm at the last step seen here that gave the row one; NaN before. */
  readonly gradient: Float32Array;
  attempt = 0;
  /** Rows that were in a batch at least once. */
  everTouched = 0;
  /** Last step counted. */
  step = 0;

  /** Start with no touches. */
  constructor(readonly vocabulary: number) {
    this.touches = new Uint32Array(vocabulary);
    this.lastLit = new Uint32Array(vocabulary).fill(NEVER);
    this.gradient = new Float32Array(vocabulary).fill(NaN);
  }

  /** Return whether the reads of the steps so far were not recorded: no step reads nothing. */
  get unread(): boolean {
    return this.step > 0 && !this.everTouched;
  }

  loadCensus(census: Census) {
    if (census.vocabulary !== this.vocabulary) return;
    this.touches.set(census.touches);
    this.lastLit.set(census.lastLit);
    this.everTouched = 0;
    for (const last of this.lastLit) if (last !== NEVER) this.everTouched += 1;
    this.attempt = census.attempt;
    this.step = census.step;
  }

  /**
   * Count a step and those since the previous beat; one beat carries the counts of all of them. Return false,
   * and count nothing, for a step that is counted already.
   */
  apply(beat: Beat): boolean {
    if (beat.vocabulary !== this.vocabulary) return false;
    if (beat.attempt === this.attempt && beat.step <= this.step) {
      // Gradients of rows in no batch may arrive after the beat of their step.
      if (beat.step === this.step) this.setGradients(beat);
      return false;
    }
    const { batchIds, gradientNorms, between } = beat;
    // Rows got gradients that the beat does not include.
    if (beat.elsewhere) this.gradient.fill(NaN);
    between.ids.forEach((id, i) =>
      this.light(id, between.touches[i]!, between.lastLit[i]!, between.norms?.[i] ?? NaN),
    );
    batchIds.forEach((id, i) => this.light(id, 1, beat.step, gradientNorms[i]!));
    this.setGradients(beat);
    this.attempt = beat.attempt;
    this.step = beat.step;
    return true;
  }

  /**
   * Count a row in the batches of some steps, the last of them `step`. A norm of 0 means no gradient in any
   * of them.
   */
  private light(id: number, steps: number, step: number, norm: number) {
    this.touches[id]! += steps;
    if (this.lastLit[id] === NEVER) this.everTouched += 1;
    this.lastLit[id] = step;
    if (norm !== 0) this.gradient[id] = norm;
  }

  private setGradients({ gradients }: Beat) {
    gradients?.ids.forEach((id, i) => (this.gradient[id] = gradients.norms[i]!));
  }

  /** Adopt the gradient norms of a recorded step for rows that were in no batch since. */
  applyNorms({ step, ids, norms }: Pick<StepLight, "step" | "ids" | "norms">) {
    ids.forEach((id, i) => {
      const norm = norms[i]!;
      // 0 means no gradient at that step, NaN one that is not known.
      if (this.lastLit[id] !== step || !(norm > 0)) return;
      this.gradient[id] = norm;
    });
  }
}
