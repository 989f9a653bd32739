/** Playback of a run's record in place of the stream. */

import { ApiError, reasonGiven, type Failure } from "../../api/failure";
import type { LayoutMethod } from "../../api/frames";
import type { NewestStep } from "../live/newest-step.svelte";
import type { PastStore } from "../past/past-store";

/** Delay before an unavailable record is requested again, in ms: the server may be away. */
const RETRY_PAUSE = 1_500;
/** Status of a response to too many requests. */
const BUSY = 429;

/** The run being played: its stores, and its error callback. */
export interface PlayedRun {
  readonly newest: NewestStep;
  past: () => PastStore | null;
  method: () => LayoutMethod;
  newestStep: () => number;
  /** Called with the reason why the record cannot be read; null: it can again. */
  failed: (failure: Failure | null) => void;
}

export class RecordPlayback {
  /** Stops the current playback; null: none. */
  private playing: AbortController | null = null;

  /** Prepare to play a run; `calm`: the viewer prefers reduced motion. */
  constructor(
    private readonly run: PlayedRun,
    private readonly calm = matchMedia("(prefers-reduced-motion: reduce)").matches,
  ) {}

  stop() {
    this.playing?.abort();
    this.playing = null;
    this.run.newest.scheduler.calm = false;
  }

  /** Play the record from the last step played; return whether it reached the end. */
  async play(speed: number): Promise<boolean> {
    const { newest, past, method, newestStep, failed } = this.run;
    const { signal } = (this.playing = new AbortController());
    const store = past();
    if (!store) return false;
    /** Return whether it was stopped; a function, because that may happen during a fetch. */
    const isOver = () => signal.aborted;
    let failing = false;
    newest.scheduler.calm = this.calm;
    while (!isOver()) {
      try {
        const player = await import("../past/record-player").catch(() => null);
        if (!player) throw new ApiError(0, { code: "silent" });
        await player.playRecord(store, newest.lastStep, {
          speed,
          signal,
          method,
          newest: newestStep,
          receive: (frame) => {
            if (failing) failed(null);
            failing = false;
            newest.receive(frame);
          },
        });
        return !isOver();
      } catch (error) {
        if (isOver()) return false;
        failed(error instanceof ApiError ? error.failure : reasonGiven((error as Error).message));
        const passes = error instanceof ApiError && (!error.refused || error.status === BUSY);
        if (!passes) return false;
        failing = true;
        await new Promise((done) => setTimeout(done, RETRY_PAUSE));
      }
    }
    return false;
  }

  /**
   * Show the last step, as the live stream would show it to a new viewer, unless `dropped` returns true by
   * then.
   */
  async showEnd(dropped: () => boolean) {
    const { newest, past, method, newestStep, failed } = this.run;
    const store = past();
    if (!store) return;
    try {
      const { fetchState } = await import("../past/record-player");
      const duration = newest.beatDuration();
      const end = await fetchState(store, store.heldAt(newestStep()), method(), duration);
      if (dropped()) return;
      for (const frame of end.frames) newest.receive(frame);
      if (end.light) newest.lightFromRecord(end.light, end.counters);
    } catch (error) {
      if (error instanceof ApiError) failed(error.failure);
    }
  }
}
