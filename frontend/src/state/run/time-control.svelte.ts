/** Control of time: a viewer's moves between live, a replay from some step, and a past step. */

import type { LayoutMethod } from "../../api/frames";
import type { FrameClock } from "../frame-clock";
import type { PastStore } from "../past/past-store";
import { TimeCursor, type Beats } from "../past/time-cursor.svelte";
import type { ShownStep } from "../shown-step.svelte";
import { DEFAULT_SPEED } from "./replay";
import type { RunStream } from "./run-stream.svelte";
import { ShownRun, type TimePosition } from "./shown-run.svelte";

export const LIVE: TimePosition = { from: null, speed: null, at: null, beat: null, set: null };

/** Maximum wait for the live stream, in ms: the server may be away. */
const MAX_ARRIVAL = 1_000;

export abstract class TimeControl extends ShownRun {
  /** Called when the stream of another time begins. */
  protected arrived: (() => void) | null = null;

  /** Start live. */
  constructor(
    id: string,
    private readonly frameClock: FrameClock,
  ) {
    super(id);
  }

  abstract readonly stream: Pick<RunStream, "open">;

  /** Open a new socket for the current position in time. */
  protected abstract reconnect(): void;

  /**
   * Go to a position in time; missing fields stay. A past step ends a replay, and vice versa. Anything
   * already in place does not restart.
   */
  goTo(change: Partial<TimePosition>) {
    const now = this.timePosition;
    const { set, beat } = { ...now, ...change };
    const at = change.at !== undefined ? change.at : change.from == null ? now.at : null;
    const from = at !== null ? null : change.from !== undefined ? change.from : now.from;
    const speed = change.speed === undefined ? this.speed : (change.speed ?? DEFAULT_SPEED);
    this.pastSet.wanted = set;
    const otherSet = this.pastSet.choose(this.past);
    if (at !== null) {
      this.speed = speed;
      const beats = beat && (at === now.at || change.beat) ? "light" : "move";
      if (otherSet || at !== now.at || beats !== (now.beat ? "light" : "move"))
        this.standAt(at, beats);
    } else if (from !== null) {
      if (from !== now.from) this.play(from, speed);
      else {
        if (otherSet) this.restartStream();
        if (speed !== this.speed) this.setSpeed(speed);
      }
    } else {
      if (this.paused || this.pending || this.replay) this.goLive();
      this.speed = speed;
    }
  }

  /** Go to a past step: to the last one if the run ended before it; wait if training has not reached it. */
  private standAt(step: number, beats: Beats) {
    const { newestStep } = this;
    if (step > newestStep && this.over) step = this.clampedTo = newestStep;
    if (step <= newestStep) step = this.heldAt(step);
    if (step <= newestStep && this.cursor) this.cursor.seek(step, beats);
    else if (step > newestStep || !this.openCursor(step, beats)) {
      this.closeCursor(false);
      this.pending = { step, beats };
      this.leaveReplay();
    }
  }

  /** Go to the pending step if the tokens are loaded and it exists, or never will. */
  protected standAtPending() {
    const { pending, past, awaited } = this;
    if (pending && past && (!awaited || this.over)) this.standAt(pending.step, pending.beats);
  }

  /** Pause this picture; training is not affected. */
  pausePicture() {
    if (!this.paused) this.seek(this.displayedStep ?? 0);
  }

  /** Resume playing from the step on display; from the start, if it is the end of a run that has ended. */
  resumePicture() {
    if (!this.cursor) return;
    const { requested: step } = this.cursor;
    this.play(this.over && step >= this.newestStep ? 0 : step);
  }

  /** Seek to a past step at once. */
  seek(step: number) {
    if (this.still) return;
    step = this.clampStep(step);
    this.openCursor(step)?.seek(step);
  }

  /** Step forward or back by `steps`; a single step forward is shown in two beats. */
  stepBy(steps: number) {
    if (this.still) return;
    const from = this.cursor?.requested ?? this.displayedStep ?? this.newestStep;
    const to = this.clampStep(this.past?.heldBeyond(from, steps) ?? from + steps);
    if (to !== this.cursor?.requested) this.openCursor(to)?.seek(to, steps === 1 ? "told" : "move");
  }

  /** Scrub to a step, until `endScrub`. */
  scrub(step: number) {
    if (this.still) return;
    step = this.clampStep(step);
    this.openCursor(step)?.scrub(step);
  }

  /**
   * Prefetch for a scrub while the pointer is near the timeline's handle (`entered`); stop when it leaves.
   */
  prefetchForScrub(entered: boolean) {
    if (entered) void this.past?.prefetch.skim(this.method).catch(() => undefined);
    else if (this.cursor) this.past?.prefetch.endSkim();
    else this.past?.suspend();
  }

  /** Return the step nearest to `step` that can be shown. */
  private clampStep(step: number): number {
    const within = Math.max(0, Math.min(step, this.newestStep));
    return this.heldAt(within);
  }

  /** Stop waiting for the requested step: stay at the one on display. */
  stopWaiting() {
    const { cursor, past, displayedStep: step } = this;
    if (!cursor || !past || step === null) return;
    // Another cursor, because this one may wait for its answer for long.
    cursor.close();
    this.cursor = this.cursorAt(past, cursor, step, "move");
  }

  /** Open the time cursor, leaving live or the replay; return null until the tokens are loaded. */
  protected openCursor(step: number, beats: Beats = "move"): TimeCursor | null {
    const { past } = this;
    if (!past) return null;
    const from = this.isComing ? null : this.newest;
    const { layouts } = this;
    this.pending = null;
    if (!this.cursor) {
      // During a replay new maps are not reported, so the index would go stale.
      if (this.replay) past.suspend();
      this.cursor = this.cursorAt(past, from, step, beats);
      this.cursor.layouts = layouts;
      this.leaveReplay();
    }
    return this.cursor;
  }

  private cursorAt(
    past: PastStore,
    from: ShownStep | null,
    step: number,
    beats: Beats,
  ): TimeCursor {
    return new TimeCursor(past, from, step, beats, () => this.method, this.frameClock);
  }

  private leaveReplay() {
    if (!this.replay) return;
    this.replay = null;
    this.restartStream();
  }

  /** Switch to another layout method. */
  setMethod(method: LayoutMethod) {
    if (method === this.method) return;
    this.method = method;
    this.cursor?.refresh();
  }

  /** Play the run from a step. */
  play(from: number, speed = this.speed) {
    const { layouts } = this;
    this.closeCursor();
    this.newest.layouts = layouts;
    from = this.heldAt(from);
    this.speed = speed;
    this.replay = { from, speed, ended: false };
    this.newest.lastStep = from;
    this.restartStream();
  }

  /**
   * Show the smoothed layouts of the past, or the live ones. Starts a replay if the past is not on display.
   */
  setReprojected(reprojected: boolean) {
    const set = reprojected === this.pastSet.byDefault ? null : reprojected ? "again" : "live";
    this.goTo({ set, ...(reprojected && !this.inPast && { from: 0 }) });
  }

  /** Set the speed of this replay or the next, in steps per second. */
  setSpeed(speed: number) {
    this.speed = speed;
    if (!this.replay) return;
    this.replay = { ...this.replay, speed };
    this.reconnect();
  }

  /** Return to live. */
  goLive() {
    const { replay } = this;
    this.closeCursor(false);
    this.problem = null;
    this.replay = null;
    if (replay) this.restartStream();
    else if (!this.stream.open) this.reconnect();
  }

  /**
   * Train one step with `ask`, and show it live in two beats; return the result of `ask`: whether the trainer
   * accepted.
   */
  async trainOneStep(ask: () => Promise<boolean>): Promise<boolean> {
    const { replay } = this;
    if (replay || this.cursor || this.pending) this.goLive();
    if (replay) {
      // A step trained before the live stream begins would arrive without its two beats.
      await new Promise<void>((done) => {
        this.arrived = done;
        setTimeout(done, MAX_ARRIVAL);
      });
    }
    this.singleStep = true;
    const accepted = await ask();
    if (!accepted) this.singleStep = false;
    return accepted;
  }

  /** Close the time cursor; with `keep`, its picture stays until another arrives. */
  private closeCursor(keep = true) {
    const { cursor } = this;
    this.pending = null;
    this.cursor = null;
    if (!cursor) return;
    cursor.close();
    if (keep) this.newest.copyFrom(cursor);
  }

  /** Restart the stream at another time. */
  protected restartStream() {
    this.newest.leaveTime();
    this.reconnect();
  }
}
