/**
 * Counts of the frames received over one run's socket: the steps covered by its beats, and the steps between
 * two connections, which must come from the record. Pure.
 */

import type { Frame } from "../../api/frames";

/** A range of consecutive steps covered by the beats of one connection. */
interface ReceivedRange {
  attempt: number;
  first: number;
  last: number;
  beats: number;
}

/** A range of steps before a census that no beat covered. */
interface MissedRange {
  first: number;
  last: number;
  /** Set once the range was read from the record. */
  fetched: boolean;
}

/** Limit on the ranges and gaps kept, oldest dropped first: a page may stay open for weeks. */
const MAX_RANGES = 1_000;

export class FrameCounts {
  readonly frames: Record<Frame["kind"], number> = {
    layout: 0,
    rows: 0,
    census: 0,
    districts: 0,
    beat: 0,
    "grid-layout": 0,
    "grid-change": 0,
  };
  /** Steps missing between two beats of one connection; must stay 0. */
  lost = 0;
  readonly ranges: ReceivedRange[] = [];
  readonly gaps: MissedRange[] = [];
  /** Last step covered by a beat or a census; null after a jump to another time. */
  private lastStep: number | null = 0;
  /** Step that the record was read up to. */
  private recordedStep = 0;
  private open: ReceivedRange | null = null;

  receive(frame: Frame) {
    this.frames[frame.kind] += 1;
    if (frame.kind === "census") this.startAtCensus(frame.step);
    if (frame.kind !== "beat") return;
    const { attempt, firstStep, step } = frame;
    const missing = this.lastStep === null ? 0 : Math.max(0, firstStep - this.lastStep - 1);
    this.lost += missing;
    this.lastStep = step;
    if (this.open && !missing && this.open.attempt === attempt) {
      this.open.last = step;
      this.open.beats += 1;
    } else {
      this.open = { attempt, first: firstStep, last: step, beats: 1 };
      pushBounded(this.ranges, this.open);
    }
  }

  /** Mark the record as read up to a step. */
  markFetched(last: number) {
    this.recordedStep = last;
    for (const gap of this.gaps) gap.fetched ||= gap.last <= last;
  }

  /** Return whether steps between two connections still have to be read from the record. */
  get hasGaps(): boolean {
    return this.gaps.some(({ fetched }) => !fetched);
  }

  /** Break the sequence for a jump to another time: the next frame does not continue it. */
  breakSequence() {
    this.lastStep = null;
    this.open = null;
  }

  private startAtCensus(step: number) {
    // A new attempt took those steps again, so they are not missing.
    for (const gap of this.gaps) if (!gap.fetched) gap.last = Math.min(gap.last, step);
    if (this.lastStep !== null && step > this.lastStep) {
      pushBounded(this.gaps, {
        first: this.lastStep + 1,
        last: step,
        fetched: step <= this.recordedStep,
      });
    }
    this.lastStep = step;
    this.open = null;
  }
}

function pushBounded<Item>(list: Item[], item: Item) {
  list.push(item);
  if (list.length > MAX_RANGES) list.shift();
}
