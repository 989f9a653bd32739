/**
 * Everything that a run's socket does not repeat, read from its record: what the run is, its past, the newest step,
 * and what was missed between two connections.
 */

import { ask, Refusal, runPath } from "../wire/rest";
import type { Measures, Run, StepDetail, StepRecord } from "../wire/rest";
import type { Present } from "./present.svelte";
import { beatOfRecord } from "./stepbeat";

/** The record is read again so late, in ms, where it did not reach as far as what came. */
const READ_AGAIN = 1_000;

export interface CatchUpEvents {
  learned(info: Run): void;
  measured(items: Measures[]): void;
  /** There is no such run, or it may not be read. */
  refused(reason: string): void;
  /** The newest step that is known of, and its attempt; null while nothing of the record shall be lit. */
  newest(): { attempt: number; step: number } | null;
  /** The socket is open. */
  connected(): boolean;
}

export class CatchUp {
  /** It was read once. */
  done = false;
  private reading = 0;
  private lighting = false;

  constructor(
    private readonly run: string,
    private readonly present: Present,
    private readonly events: CatchUpEvents,
    private readonly signal: AbortSignal,
  ) {}

  /** Read the record. */
  async begin() {
    const { signal, present } = this;
    this.reading += 1;
    try {
      this.events.learned(await ask<Run>(runPath(this.run), { signal }));
      const [past, measured] = await Promise.all([
        ask<{ items: StepRecord[] }>(runPath(this.run, "steps?from=1&most=2000"), { signal }),
        ask<{ items: Measures[] }>(runPath(this.run, "measures"), { signal }),
        // Of what was missed no pulse comes again: the newest step is lit from the record.
        this.light(),
      ]);
      present.recorded(
        past.items.map(({ attempt, step, loss, layer_norms: norms, ever_rows: ever }) => ({
          attempt,
          step,
          loss,
          norms,
          ever: ever ?? null,
        })),
      );
      this.events.measured(measured.items);
      this.done = true;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      if (error.status >= 400 && error.status < 500) this.events.refused(error.message);
    } finally {
      this.reading -= 1;
      // It was read before the steps that the census told were there, or could not be read.
      if (present.tally.wanting) setTimeout(() => this.fill(), READ_AGAIN);
    }
  }

  /** Read the record where it is not being read. */
  again() {
    if (!this.reading) void this.begin();
  }

  /** What fell between two connections comes from the record. */
  fill() {
    if (!this.present.tally.wanting || this.signal.aborted) return;
    if (this.events.connected()) this.again();
  }

  /** The layers are known from the first step on, not when the run was first looked at. */
  async learn() {
    try {
      this.events.learned(await ask<Run>(runPath(this.run), { signal: this.signal }));
    } catch (error) {
      if (!this.signal.aborted && !(error instanceof Refusal)) throw error;
    }
  }

  /** Show the newest step from the record: no pulse of it came, or none that was not merged. */
  async light() {
    const newest = this.events.newest();
    if (!newest || newest.step < 1 || this.lighting) return;
    const { beat } = this.present;
    if (beat?.step === newest.step && beat.attempt === newest.attempt) return;
    this.lighting = true;
    try {
      const detail = await this.detail(newest.step, this.signal);
      if (this.events.newest()) this.present.light(beatOfRecord(detail, this.present.lasting()));
    } catch (error) {
      if (!this.signal.aborted && !(error instanceof Refusal)) throw error;
    } finally {
      this.lighting = false;
    }
  }

  /** What one step read and did, with its text. */
  detail(step: number, signal: AbortSignal): Promise<StepDetail> {
    return ask<StepDetail>(runPath(this.run, `steps/${step}`), { signal });
  }
}
