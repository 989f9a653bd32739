/** Playing of a run's record where no socket plays it: in a class, and in a page that is a file. */

import { ApiError, type Failure } from "../../api/failure";
import type { LayoutMethod } from "../../api/frames";
import type { NewestStep } from "../live/newest-step.svelte";
import type { PastStore } from "../past/past-store";

/** Ties of the playing to the run: questions to it, and news for it. */
export interface PlayedRun {
  readonly newest: NewestStep;
  past: () => PastStore | null;
  method: () => LayoutMethod;
  newestStep: () => number;
  /** Called with the reason why the record cannot be read. */
  failed: (failure: Failure) => void;
}

export class RecordPlayback {
  /** Ends what is played; null: nothing is. */
  private playing: AbortController | null = null;

  constructor(private readonly run: PlayedRun) {}

  /** Return whether the record is played, so that the socket's frames are not. */
  get active(): boolean {
    return this.playing !== null;
  }

  stop() {
    this.playing?.abort();
    this.playing = null;
  }

  /** Play the record as the socket would, from the last step played; return whether it came to its end. */
  async play(speed: number): Promise<boolean> {
    const { newest, past, method, newestStep, failed } = this.run;
    const { signal } = (this.playing = new AbortController());
    const store = past();
    if (!store) return false;
    try {
      const { playRecord } = await import("../past/record-player");
      await playRecord(store, newest.lastStep, {
        speed,
        signal,
        method,
        newest: newestStep,
        receive: (frame) => newest.receive(frame),
      });
    } catch (error) {
      if (!signal.aborted && error instanceof ApiError) failed(error.failure);
    }
    return !signal.aborted;
  }

  /** Show the last step, as the stream would that tells whoever comes of the present, unless `dropped` says otherwise by then. */
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
      if (end.beat) newest.lightFromRecord(end.beat, end.counters);
    } catch (error) {
      if (error instanceof ApiError) failed(error.failure);
    }
  }
}
