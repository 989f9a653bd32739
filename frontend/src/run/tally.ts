/**
 * What came over the socket of one run and was taken up: which steps its pulses told, and which fell between two
 * connections and have to come from the record. Nothing on the page shows it: who tests the page reads it. Pure.
 */

import type { Frame } from "../wire/frames";

/** Steps in a row that pulses of one connection told, the first to the last. */
export interface Stretch {
  attempt: number;
  first: number;
  last: number;
  pulses: number;
}

/** Steps before a census that no pulse told. */
export interface Gap {
  first: number;
  last: number;
  /** The record was read up to there. */
  fetched: boolean;
}

/** So many stretches and gaps are kept, the newest: a page may be open for weeks. */
const MOST = 1_000;

export class Tally {
  readonly frames: Record<Frame["kind"], number> = {
    pulse: 0,
    layout: 0,
    rows: 0,
    census: 0,
    districts: 0,
  };
  /** Pulses that told several steps. */
  merged = 0;
  /** Steps between two pulses of one connection that nothing told: there must be none. */
  lost = 0;
  readonly stretches: Stretch[] = [];
  readonly gaps: Gap[] = [];
  /** The last step that was told, by a pulse or a census; null where the viewer was at another time. */
  private at: number | null = 0;
  /** The step up to which the record was read. */
  private read = 0;
  private open: Stretch | null = null;

  take(frame: Frame) {
    this.frames[frame.kind] += 1;
    if (frame.kind === "census") this.begin(frame.step);
    if (frame.kind !== "pulse") return;
    const { attempt, firstStep, step, merged } = frame;
    if (merged) this.merged += 1;
    const missing = this.at === null ? 0 : Math.max(0, firstStep - this.at - 1);
    this.lost += missing;
    this.at = step;
    if (this.open && !missing && this.open.attempt === attempt) {
      this.open.last = step;
      this.open.pulses += 1;
    } else {
      this.open = { attempt, first: firstStep, last: step, pulses: 1 };
      keep(this.stretches, this.open);
    }
  }

  /** The record was read up to a step. */
  fetched(last: number) {
    this.read = last;
    for (const gap of this.gaps) gap.fetched ||= gap.last <= last;
  }

  /** What happened between two connections was not yet read from the record. */
  get wanting(): boolean {
    return this.gaps.some(({ fetched }) => !fetched);
  }

  /** To another time: what comes next does not go on from what came. */
  leave() {
    this.at = null;
    this.open = null;
  }

  private begin(step: number) {
    // What a new attempt took is not missing.
    for (const gap of this.gaps) if (!gap.fetched) gap.last = Math.min(gap.last, step);
    if (this.at !== null && step > this.at) {
      keep(this.gaps, { first: this.at + 1, last: step, fetched: step <= this.read });
    }
    this.at = step;
    this.open = null;
  }
}

function keep<Item>(list: Item[], item: Item) {
  list.push(item);
  if (list.length > MOST) list.shift();
}
