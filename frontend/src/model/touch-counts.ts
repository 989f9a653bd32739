/**
 * Touch counts: how often each row was in a batch, when last, and how strong its gradient was then.
 * They start from a census and follow the pulses, merged ones too, or the beats of a class.
 */

import type { ClassBeat } from "../api/class-frames";
import { NEVER, type Census, type Pulse } from "../api/frames";
import type { StepBeat } from "./step-beat";

export const TOUCHES_BIT = 1;
export const LIT_BIT = 2;
export const GRADIENT_BIT = 4;

export class TouchCounts {
  readonly touches: Uint32Array;
  /** Step a row was last in a batch; `NEVER` if in none. */
  readonly lastLit: Uint32Array;
  /** Gradient norm at the last step seen here that gave the row one; NaN before. */
  readonly gradient: Float32Array;
  /**
   * Which numbers of a row are only upper bounds because they came from a merged pulse: bits
   * `TOUCHES_BIT`, `LIT_BIT`, `GRADIENT_BIT`.
   */
  readonly upperBounds: Uint8Array;
  attempt = 0;
  /** Rows in a batch at least once. */
  everTouched = 0;
  /** Last step counted. */
  step = 0;

  /** Start with no touches. `span`: how many steps back `litRecently` looks. */
  constructor(
    readonly vocabulary: number,
    readonly span = 100,
  ) {
    this.touches = new Uint32Array(vocabulary);
    this.lastLit = new Uint32Array(vocabulary).fill(NEVER);
    this.gradient = new Float32Array(vocabulary).fill(NaN);
    this.upperBounds = new Uint8Array(vocabulary);
  }

  /** Return whether nobody recorded what the steps so far read: no step reads nothing. */
  get unread(): boolean {
    return this.step > 0 && !this.everTouched;
  }

  loadCensus(census: Census) {
    if (census.vocabulary !== this.vocabulary) return;
    this.touches.set(census.touches);
    this.lastLit.set(census.lastLit);
    for (let id = 0; id < this.vocabulary; id++) this.upperBounds[id]! &= GRADIENT_BIT;
    this.everTouched = 0;
    for (const last of this.lastLit) if (last !== NEVER) this.everTouched += 1;
    this.attempt = census.attempt;
    this.step = census.step;
  }

  /** Count the steps that a pulse, or a beat, tells of. */
  apply(frame: Pulse | ClassBeat) {
    if (frame.kind === "pulse") this.applyPulse(frame);
    else this.applyBeat(frame);
  }

  applyPulse(pulse: Pulse) {
    if (pulse.vocabulary !== this.vocabulary) return;
    if (pulse.attempt === this.attempt && pulse.step <= this.step) return;
    const { batchIds, batchCounts, gradientIds, gradientNorms, step } = pulse;
    const steps = step - pulse.firstStep + 1;
    for (let i = 0; i < batchIds.length; i++) {
      const id = batchIds[i]!;
      // A merged pulse does not say in how many of its steps a row was: at least one, at most this.
      const atMost = Math.min(steps, batchCounts[i]!);
      this.touches[id] = this.touches[id]! + atMost;
      if (this.lastLit[id] === NEVER) this.everTouched += 1;
      this.lastLit[id] = step;
      this.upperBounds[id]! &= ~LIT_BIT;
      if (steps > 1) this.upperBounds[id]! |= atMost > 1 ? TOUCHES_BIT | LIT_BIT : LIT_BIT;
    }
    for (let i = 0; i < gradientIds.length; i++) {
      const id = gradientIds[i]!;
      this.gradient[id] = gradientNorms[i]!;
      // A merged pulse carries the largest norm of its steps.
      if (steps > 1) this.upperBounds[id]! |= GRADIENT_BIT;
      else this.upperBounds[id]! &= ~GRADIENT_BIT;
    }
    this.attempt = pulse.attempt;
    this.step = step;
  }

  /** Count a step and those since the beat before, of which a beat tells as much as pulses would. */
  applyBeat(beat: ClassBeat) {
    if (beat.vocabulary !== this.vocabulary) return;
    if (beat.attempt === this.attempt && beat.step <= this.step) return;
    const { batchIds, gradientNorms, between } = beat;
    // Rows got gradients that are not told.
    if (beat.elsewhere) this.gradient.fill(NaN);
    between.ids.forEach((id, i) =>
      this.light(id, between.touches[i]!, between.lastLit[i]!, between.norms?.[i] ?? NaN),
    );
    batchIds.forEach((id, i) => this.light(id, 1, beat.step, gradientNorms[i]!));
    this.attempt = beat.attempt;
    this.step = beat.step;
  }

  /** Count a row in the batches of some steps, the last of them `step`. A norm of 0: it got no gradient in them. */
  private light(id: number, steps: number, step: number, norm: number) {
    this.touches[id]! += steps;
    if (this.lastLit[id] === NEVER) this.everTouched += 1;
    this.lastLit[id] = step;
    this.upperBounds[id]! &= ~LIT_BIT;
    if (norm === 0) return;
    this.gradient[id] = norm;
    this.upperBounds[id]! &= ~GRADIENT_BIT;
  }

  /** Take over the gradient norms of a step of the record, of rows that were in no batch since. */
  applyNorms({ step, ids, norms }: Pick<StepBeat, "step" | "ids" | "norms">) {
    ids.forEach((id, i) => {
      const norm = norms[i]!;
      // 0 is a row that got no gradient then, and NaN one whose gradient is not told.
      if (this.lastLit[id] !== step || !(norm > 0)) return;
      this.gradient[id] = norm;
      this.upperBounds[id]! &= ~GRADIENT_BIT;
    });
  }

  /**
   * Count the rows in a batch during the last `steps` steps, at most `span`. With `about`, `rows`
   * is an upper bound.
   */
  litRecently(): { rows: number; steps: number; about: boolean } {
    let rows = 0;
    let about = false;
    const first = Math.max(0, this.step - this.span);
    this.lastLit.forEach((last, id) => {
      if (last === NEVER || last <= first) return;
      rows += 1;
      // The row may have been in any step of a merged pulse, even one before `from`.
      if (first > 0 && this.upperBounds[id]! & LIT_BIT) about = true;
    });
    return { rows, steps: this.step - first, about };
  }
}
