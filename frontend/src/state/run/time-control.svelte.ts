/**
 * Control of time: the viewer is live, in a replay from some step, or at a past step. It decides
 * what is shown.
 */

import type { Failure } from "../../api/failure";
import type { ConnectionState } from "../../api/connection";
import type { LayoutMethod } from "../../api/frames";
import type { Status } from "../../api/rest-types";
import type { PastStore } from "../past/past-store";
import type { NewestStep } from "../live/newest-step.svelte";
import { DEFAULT_SPEED, type Replay } from "./replay";
import type { ShownStep } from "../shown-step.svelte";
import { TimeCursor } from "../past/time-cursor.svelte";

/** A position in time to start at; all null is live. */
export interface TimePosition {
  /** Step to play from, at `speed` steps a second. */
  from: number | null;
  speed: number | null;
  /** Past step to show. */
  at: number | null;
}

export abstract class TimeControl {
  abstract status: Status | null;
  abstract connectionState: ConnectionState;
  abstract problem: Failure | null;
  /** The replay in progress; null: live, or at a past step. */
  replay = $state.raw<Replay | null>(null);

  /** Set to show the reprojected map of the past instead of the one made live. */
  reprojected = $state(false);

  /** Playback speed of this replay or the next, in steps a second. */
  speed = $state(DEFAULT_SPEED);
  /** The time cursor on a past step; null: none. */
  cursor = $state.raw<TimeCursor | null>(null);

  /** State that follows the socket, shown unless this viewer is at a past step. */
  protected abstract readonly newest: NewestStep;
  protected past: PastStore | null = null;
  /** Step to open the time cursor at once the tokens are loaded. */
  protected pendingStep = $state<number | null>(null);
  protected method: LayoutMethod = "umap";

  /** Start live. `whenPainted` resolves when it is worth showing another past step. */
  constructor(private readonly whenPainted?: () => Promise<void>) {}

  /** Open a new socket for the current position in time. */
  protected abstract reconnect(): void;

  private get shownStep(): ShownStep {
    return this.cursor ?? this.newest;
  }

  /** Return the newest layout of each method at the step shown. */
  get layouts() {
    return this.shownStep.layouts;
  }

  /** Return the clusters of the space; null where none have been looked for. */
  get districts() {
    return this.shownStep.districts;
  }

  get beat() {
    return this.shownStep.beat;
  }

  get counters() {
    return this.shownStep.counters;
  }

  /**
   * Return the beat and the counters for whatever is slow to draw: during a scrub, those of the
   * step where the hand last rested.
   */
  get settled(): Pick<ShownStep, "beat" | "counters"> {
    return this.cursor?.settled ?? this.newest;
  }

  get touchCounts() {
    return this.shownStep.touchCounts;
  }

  /** Return loss, norms and coverage by step, up to now. */
  get series() {
    return this.newest.series;
  }

  /** Return the counts of the frames received. */
  get frameCounts() {
    return this.newest.frameCounts;
  }

  /** Return which of the two beats of a single step is shown. */
  get beatPhase() {
    return this.shownStep.beatPhase;
  }

  /** Return whether this viewer's picture is paused. */
  get paused(): boolean {
    return this.cursor !== null || this.pendingStep !== null;
  }

  /** Return the past step shown, for panels to request; null when the newest is shown. */
  get pastStep(): number | null {
    if (this.cursor) return this.cursor.settledStep ?? this.cursor.step;
    return this.pendingStep ?? (this.replay ? (this.beat?.step ?? this.replay.from) : null);
  }

  /** Return this viewer's position in time, for the URL. */
  get timePosition(): TimePosition {
    const { replay, cursor, speed } = this;
    const at = cursor?.step ?? this.pendingStep;
    const from = replay?.from ?? null;
    return { from, speed: replay || (at !== null && speed !== DEFAULT_SPEED) ? speed : null, at };
  }

  /** Return the newest known step. */
  get newestStep(): number {
    return Math.max(this.status?.step ?? 0, this.newest.counters?.step ?? 0);
  }

  /** Return whether the run is a single matrix, without any step. */
  get still(): boolean {
    return this.status?.phase === "finished" && this.status.step === 0;
  }

  /** Pause this picture; training is not affected. */
  pausePicture() {
    if (!this.paused) this.seek(this.beat?.step ?? this.counters?.step ?? 0);
  }

  /** Resume playing from the step shown; from the start, if it is the end of a run that is over. */
  resumePicture() {
    if (!this.cursor) return;
    const { step } = this.cursor;
    const trainingOver = ["finished", "interrupted", "failed"].includes(this.status?.phase ?? "");
    this.play(trainingOver && step >= this.newestStep ? 0 : step);
  }

  /** Seek to a past step, at once. */
  seek(step: number) {
    if (this.still) return;
    this.openCursor(step)?.seek(this.clampStep(step));
  }

  /** Step on or back by `steps`; a single step forward is shown in two beats. */
  stepBy(steps: number) {
    if (this.still) return;
    const from = this.cursor?.step ?? this.beat?.step ?? this.newestStep;
    const to = this.clampStep(from + steps);
    if (to !== this.cursor?.step) this.openCursor(to)?.seek(to, steps === 1);
  }

  /** Scrub to a step, until `endScrub`. */
  scrub(step: number) {
    if (!this.still) this.openCursor(step)?.scrub(this.clampStep(step));
  }

  /**
   * Prefetch for a scrub while the pointer is near the timeline's handle (`entered`); stop when it
   * leaves.
   */
  prefetchForScrub(entered: boolean) {
    if (entered) void this.past?.skim([this.method]).catch(() => undefined);
    else if (this.cursor) this.past?.endSkim();
    else this.past?.suspend();
  }

  pauseScrub() {
    this.cursor?.pauseScrub();
  }

  endScrub() {
    this.cursor?.endScrub();
  }

  private clampStep(step: number): number {
    return Math.max(0, Math.min(step, this.newestStep));
  }

  /**
   * Open the time cursor, leaving live or the replay; return null while there are no tokens to
   * show.
   */
  protected openCursor(step: number): TimeCursor | null {
    const { past } = this;
    if (!past) return null;
    this.pendingStep = null;
    if (!this.cursor) {
      // During a replay new maps are not reported, so the index would go stale.
      if (this.replay) past.suspend();
      this.cursor = new TimeCursor(past, this.newest, step, () => this.method, this.whenPainted);
      if (this.replay) {
        this.replay = null;
        this.restartStream();
      }
    }
    return this.cursor;
  }

  /** Switch to another layout method. */
  setMethod(method: LayoutMethod) {
    if (method === this.method) return;
    this.method = method;
    this.cursor?.refresh();
  }

  /** Play the run from a step on. */
  play(from: number, speed = this.speed) {
    this.closeCursor();
    this.speed = speed;
    this.replay = { from, speed, ended: false };
    this.newest.lastStep = from;
    this.restartStream();
  }

  /**
   * Show the reprojected layouts of the past, or those made live. Starts a replay if none of the
   * past is shown.
   */
  setReprojected(reprojected: boolean) {
    if (reprojected === this.reprojected) return;
    this.reprojected = reprojected;
    if (this.past) this.past.invalidate(reprojected);
    if (this.cursor) this.cursor.refresh();
    else if (this.replay) this.restartStream();
    else if (reprojected) this.play(0);
  }

  /** Set the speed of this replay or the next, in steps a second. */
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
    else if (this.connectionState.state !== "open") this.reconnect();
    else this.newest.updateCounters();
  }

  /** Close the time cursor; with `keep`, its picture stays until another arrives. */
  private closeCursor(keep = true) {
    const { cursor } = this;
    this.pendingStep = null;
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
