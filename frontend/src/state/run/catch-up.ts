/**
 * Catch-up over REST with everything a run's socket does not repeat: the run's description, its
 * past, its newest step, and the steps missed between two connections.
 */

import {
  ask,
  runPath,
  type Measures,
  type Run,
  type StepDetail,
  type StepRecord,
} from "../../api/rest";
import { Refusal, type Failure } from "../../api/failure";
import type { Present } from "../live/newest-step.svelte";
import { beatOfRecord } from "../../model/step-beat";

/** Delay in ms before the record is read again because it lagged behind the frames received. */
const READ_AGAIN = 1_000;

export interface CatchUpEvents {
  learned(info: Run): void;
  measured(items: Measures[]): void;
  /** Report that the run does not exist or may not be read. */
  refused(reason: Failure): void;
  /**
   * Return the newest known step and its attempt; null while no step from the record should be lit.
   */
  newest(): { attempt: number; step: number } | null;
  /** Return whether the socket is open. */
  connected(): boolean;
}

export class CatchUp {
  /** Set once the record has been read. */
  done = false;
  private reading = 0;
  private lighting = false;

  constructor(
    private readonly run: string,
    private readonly present: Present,
    private readonly events: CatchUpEvents,
    private readonly signal: AbortSignal,
  ) {}

  /** Read the run's description, its past steps and its measures. */
  async begin() {
    const { signal, present } = this;
    this.reading += 1;
    try {
      this.events.learned(await ask<Run>(runPath(this.run), { signal }));
      const [past, measured] = await Promise.all([
        ask<{ items: StepRecord[] }>(runPath(this.run, "steps?from=1&most=2000"), { signal }),
        ask<{ items: Measures[] }>(runPath(this.run, "measures"), { signal }),
        // A missed pulse is never resent, so the newest step is lit from the record.
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
      if (error.status >= 400 && error.status < 500) this.events.refused(error.failure);
    } finally {
      this.reading -= 1;
      // The read failed, or it came before the steps that the census counted were recorded.
      if (present.tally.wanting) setTimeout(() => this.fill(), READ_AGAIN);
    }
  }

  /** Read the record unless a read is already under way. */
  again() {
    if (!this.reading) void this.begin();
  }

  /** Read the steps missed between two connections from the record, if any are missing. */
  fill() {
    if (!this.present.tally.wanting || this.signal.aborted) return;
    if (this.events.connected()) this.again();
  }

  /** Fetch the run's description again: its layers are known only from the first step on. */
  async learn() {
    try {
      this.events.learned(await ask<Run>(runPath(this.run), { signal: this.signal }));
    } catch (error) {
      if (!this.signal.aborted && !(error instanceof Refusal)) throw error;
    }
  }

  /** Light the newest step from the record: no unmerged pulse of it arrived. */
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

  /** Fetch what one step read and did, with its text. Throws `ApiError`, or the abort. */
  detail(step: number, signal: AbortSignal): Promise<StepDetail> {
    return ask<StepDetail>(runPath(this.run, `steps/${step}`), { signal });
  }
}
