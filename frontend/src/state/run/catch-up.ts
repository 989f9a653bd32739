/**
 * Catch-up over REST with everything a run's socket does not repeat: the run's description, its past, its
 * newest step, and the steps missed between two connections.
 */

import { requestFrames } from "../../api/frame-request";
import { requestJson, runPath } from "../../api/rest";
import type { Answer, LineSet, Measures, Run } from "../../api/rest-types";
import { ApiError, type Failure } from "../../api/failure";
import type { NewestStep } from "../live/newest-step.svelte";
import { lightOfBeat, type StepLight } from "../../model/light";

/** Delay in ms before the record is read again because it lagged behind the received frames. */
const RETRY_DELAY = 1_000;

interface CatchUpEvents {
  onRunInfo(info: Run): void;
  onMeasures(items: Measures[]): void;
  onLines(items: LineSet[]): void;
  /** Report that the run does not exist or may not be read. */
  onRefused(reason: Failure): void;
  /** Return the newest known step and its attempt; null if no step from the record should be lit. */
  newestStep(): { attempt: number; step: number } | null;
  /** Return whether the socket is open. */
  isConnected(): boolean;
  /** Return whether the text of steps may be requested. */
  mayRead(): boolean;
}

export class CatchUp {
  /** Set once the record has been read. */
  done = false;
  private reading = 0;
  private lighting = false;

  constructor(
    private readonly run: string,
    private readonly newest: NewestStep,
    private readonly events: CatchUpEvents,
    private readonly signal: AbortSignal,
  ) {}

  /** Read the run's description, its past steps, its measures, and its generated lines. */
  async readRecord() {
    const { signal, newest } = this;
    this.reading += 1;
    try {
      this.events.onRunInfo(await requestJson<Run>(runPath(this.run), { signal }));
      const [record, measures, lines] = await Promise.all([
        requestJson<Answer<"GET /api/runs/{run}/steps">>(
          runPath(this.run, "steps?from=1&most=2000"),
          {
            signal,
          },
        ),
        requestJson<Answer<"GET /api/runs/{run}/measures">>(runPath(this.run, "measures"), {
          signal,
        }),
        // Generated lines are optional: without them the rest is still shown.
        requestJson<Answer<"GET /api/runs/{run}/lines">>(runPath(this.run, "lines"), {
          signal,
        }).catch(() => null),
        // A missed beat is never sent again, so the newest step is lit from the record.
        this.events.mayRead() ? this.lightNewestStep() : null,
      ]);
      newest.loadRecord(
        record.items.map(({ attempt, step, loss, layer_norms: norms, ever_rows: ever }) => ({
          attempt,
          step,
          loss: loss ?? NaN,
          norms: norms.map((value) => value ?? NaN),
          ever: ever ?? null,
        })),
      );
      this.events.onMeasures(measures.items);
      this.events.onLines(lines?.items ?? []);
      this.done = true;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      if (error.refused) this.events.onRefused(error.failure);
    } finally {
      this.reading -= 1;
      // The read failed, or it came before the steps counted by the census were recorded.
      if (newest.frameCounts.hasGaps) setTimeout(() => this.fillGaps(), RETRY_DELAY);
    }
  }

  /** Read the record unless a read is already in progress. */
  requestRead() {
    if (!this.reading) void this.readRecord();
  }

  /** Read the steps missed between two connections from the record, if any are missing. */
  fillGaps() {
    if (!this.newest.frameCounts.hasGaps || this.signal.aborted) return;
    if (this.events.isConnected()) this.requestRead();
  }

  /** Fetch the run's description again: its layers are known only from the first step on. */
  async refreshRunInfo() {
    try {
      this.events.onRunInfo(await requestJson<Run>(runPath(this.run), { signal: this.signal }));
    } catch (error) {
      if (!this.signal.aborted && !(error instanceof ApiError)) throw error;
    }
  }

  /** Light the newest step from the record, because no beat of it arrived. */
  async lightNewestStep() {
    const newest = this.events.newestStep();
    if (!newest || newest.step < 1 || this.lighting) return;
    const { beat } = this.newest;
    if (beat?.step === newest.step && beat.attempt === newest.attempt) return;
    this.lighting = true;
    const counters = this.newest.countersAt(newest.step);
    try {
      const found = await this.fetchLight(newest.step);
      if (found && this.events.newestStep()) this.newest.lightFromRecord(found, counters);
    } catch (error) {
      if (!this.signal.aborted && !(error instanceof ApiError)) throw error;
    } finally {
      this.lighting = false;
    }
  }

  private async fetchLight(step: number): Promise<StepLight | null> {
    const path = runPath(this.run, `steps?from=${step}&to=${step}&every=1&format=frame`);
    const [frame] = await requestFrames(path, this.signal);
    return frame?.kind === "beat" ? lightOfBeat(frame, this.newest.beatDuration(), null) : null;
  }
}
