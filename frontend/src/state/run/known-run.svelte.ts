/**
 * The facts of a run that do not depend on the step on display: its description, status, measures and lines.
 */

import type { Failure } from "../../api/failure";
import type { LineSet, Measures, Run, Status } from "../../api/rest-types";
import { printableText, type Vocabulary } from "../../api/vocabulary";
import { hasEnded } from "../../model/phase";

/** From a step on: its number, and the increase per step; 0: the numbers are not known. */
type NumberStretch = readonly [step: number, number: number, stride: number];

/** Return the number of a step in its original training; null if it is not known. */
export function stepNumber(step: number, stretches: readonly NumberStretch[]): number | null {
  const [first, number, stride] =
    stretches.findLast(([from]) => from <= step) ?? stretches[0] ?? ([0, 0, 1] as const);
  return stride ? number + (step - first) * stride : null;
}

export class KnownRun {
  info = $state.raw<Run | null>(null);
  status = $state.raw<Status | null>(null);
  vocabulary = $state.raw<Vocabulary | null>(null);
  measures = $state.raw<Measures[]>([]);
  /** Lines that the model generated, in order of their steps; null until known. */
  lines = $state.raw<LineSet[] | null>(null);
  /** Step up to which the run was smoothed while this viewer was here; null: it was not. */
  smoothedNow = $state<number | null>(null);
  problem = $state.raw<Failure | null>(null);

  constructor(readonly id: string) {}

  /** Return the display name; the id until it is known. */
  get name(): string {
    return printableText(this.info?.name ?? this.id);
  }

  /** Adopt a new name, given since the run was opened. */
  noteName(name: string) {
    if (this.info && this.info.name !== name) this.info = { ...this.info, name };
  }

  /** Adopt a status if it is newer than the known one. */
  protected noteStatus(status: Status) {
    const { smoothed } = this.status ?? {};
    this.status = status;
    if (smoothed !== undefined && status.smoothed !== smoothed)
      this.smoothedNow = status.smoothed ?? null;
  }

  /** Return whether the run cannot be shown, and never could. */
  get unavailable(): boolean {
    return this.problem !== null && this.info === null;
  }

  /** Return whether training is over, finished or not. */
  get over(): boolean {
    return hasEnded(this.status?.phase);
  }

  /** Return whether the run is a single matrix, without any steps. */
  get still(): boolean {
    return this.status?.phase === "finished" && this.status.step === 0;
  }

  /** Return whether the run should be training but has no live trainer. */
  get stalled(): boolean {
    const { phase, alive = true } = this.status ?? {};
    return !alive && (phase === "preparing" || phase === "running" || phase === "paused");
  }

  /** Return whether the steps come from a user's own training loop, which accepts no requests. */
  get externallyTrained(): boolean {
    return this.info?.recipe?.corpus.kind === "recorded";
  }

  /** Return the number of a step in the training that was recorded; null if it is not known. */
  stepNumber(step: number): number | null {
    return stepNumber(step, this.info?.numbers ?? []);
  }

  /** Return the number that names a step: of a series of checkpoints, that of its training. */
  shownNumber(step: number): number {
    return (this.info?.history && this.stepNumber(step)) ?? step;
  }

  /** Return whether the model generates lines, or may yet: recorded runs have no model to do so. */
  get speaks(): boolean {
    if (this.externallyTrained) return false;
    return this.lines === null || this.lines.length > 0 || !this.over;
  }
}
