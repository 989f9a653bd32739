/**
 * Control of time: the viewer is live, in a replay from some step, or at a past step. It decides
 * what is shown.
 */

import type { Failure } from "../../api/failure";
import type { ConnectionState } from "../../api/connection";
import type { Layout, LayoutMethod } from "../../api/frames";
import type { Status } from "../../api/rest-types";
import { hasEnded } from "../../model/phase";
import type { PastStep, PastStore } from "../past/past-store";
import { viewOrder } from "../past/step-ranges";
import type { NewestStep } from "../live/newest-step.svelte";
import { PastSet } from "./past-set.svelte";
import { DEFAULT_SPEED, type Replay } from "./replay";
import { layoutIn, type Layouts, type ShownStep } from "../shown-step.svelte";
import type { ViewState } from "../../model/view-state";
import type { FrameClock } from "../frame-clock";
import { TimeCursor, type Beats } from "../past/time-cursor.svelte";

/**
 * A viewer's position in time: at a past step `at`, or in a replay from a step `from`, or live if
 * both are null.
 */
export type TimePosition = Pick<ViewState, "from" | "speed" | "at" | "beat" | "set">;

export const LIVE: TimePosition = { from: null, speed: null, at: null, beat: null, set: null };

/** Longest wait for the stream of the present, in ms: the server may be away. */
const MAX_ARRIVAL = 1_000;

export abstract class TimeControl {
  abstract status: Status | null;
  abstract connectionState: ConnectionState;
  abstract problem: Failure | null;
  /** The replay in progress; null: live, or at a past step. */
  replay = $state.raw<Replay | null>(null);

  /** Set of layouts on which the past is shown. */
  protected readonly pastSet = new PastSet(() => this.status);

  /** Playback speed of this replay or the next, in steps a second. */
  speed = $state(DEFAULT_SPEED);
  /** The time cursor on a past step; null: none. */
  cursor = $state.raw<TimeCursor | null>(null);

  /** State that follows the socket, shown unless this viewer is at a past step. */
  protected abstract readonly newest: NewestStep;
  protected past: PastStore | null = null;
  /** Position to open the time cursor at once the tokens are loaded and the step has come. */
  protected pending = $state.raw<{ step: number; beats: Beats } | null>(null);
  protected method: LayoutMethod = "umap";

  /** The last step, where the cursor stands because the run ended before the step that was asked for. */
  private clampedTo = $state<number | null>(null);
  /** Set from asking for a single training step until training is paused after it. */
  protected singleStep = false;
  /** Called when the stream of another time begins. */
  protected arrived: (() => void) | null = null;

  /** Start live. */
  constructor(private readonly frameClock: FrameClock) {}

  /** Open a new socket for the current position in time. */
  protected abstract reconnect(): void;

  private get shownStep(): ShownStep {
    return this.cursor ?? this.newest;
  }

  /** Return the newest layout of each method at the step shown; none while that is still to come. */
  get layouts(): Layouts {
    if (this.isComing) return {};
    return (this.rests && this.pastSet.rest) || this.shownStep.layouts;
  }

  /** Return whether a run that is over is shown as it ended. */
  private get rests(): boolean {
    return !this.inPast && hasEnded(this.status?.phase);
  }

  /** Return whether a step is to be shown that the newest picture is not of: one that a link names. */
  private get isComing(): boolean {
    return this.pending !== null && !this.awaited;
  }

  /** Return the layout of a method, or the other one while that does not exist. */
  layoutFor(wanted: LayoutMethod): Layout | null {
    return layoutIn(this.layouts, wanted);
  }

  /** Fetch all that is shown of a past step; null while there are no tokens to show. */
  fetchPastStep(step: number, method: LayoutMethod): Promise<PastStep> | null {
    return this.past?.fetchStep(step, method) ?? null;
  }

  /** Find the first map of a view, or else of the other one; null if there is none yet. */
  async firstMap(wanted: LayoutMethod): Promise<{ method: LayoutMethod; step: number } | null> {
    for (const method of viewOrder(wanted)) {
      const step = (await this.past?.index.mapSteps(-1, method))?.next ?? null;
      if (step !== null) return { method, step };
    }
    return null;
  }

  /** Return the clusters of the space; null where none have been looked for. */
  get districts() {
    return this.shownStep.districts;
  }

  get beat() {
    return this.shownStep.beat;
  }

  /** Return the counts up to the step displayed; null where not known. */
  get counters() {
    return this.shownStep.counters;
  }

  /** Return the step displayed, which all numbers are of; null before the first. */
  get displayedStep(): number | null {
    return this.shownStep.step;
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
    return this.cursor !== null || (this.pending !== null && !this.awaited);
  }

  /** Return whether a step is asked for that training has not come to; the newest is shown until then. */
  get awaited(): boolean {
    return this.pending !== null && this.status !== null && this.pending.step > this.newestStep;
  }

  /** Return whether the step of the cursor is not there, or not any more, and may come. */
  get missing(): boolean {
    const { cursor } = this;
    return cursor?.problem != null && cursor.requested > this.newestStep;
  }

  /** Return whether the last step is shown because the run ended before the one that was asked for. */
  get clamped(): boolean {
    return this.clampedTo !== null && this.cursor?.requested === this.clampedTo;
  }

  /** Return the past step requested, which the handle shows; null while the newest is shown. */
  get requestedStep(): number | null {
    const pending = this.awaited ? null : this.pending;
    return this.cursor?.requested ?? pending?.step ?? this.playedStep;
  }

  /** Return the past step that panels request; null while the newest is shown. */
  get settledStep(): number | null {
    return this.cursor?.settled.step ?? this.requestedStep;
  }

  /** Return the step that a replay shows; null without one. */
  private get playedStep(): number | null {
    return this.replay && (this.displayedStep ?? this.replay.from);
  }

  /** Return this viewer's position in time. */
  get timePosition(): TimePosition {
    const { replay, cursor, pending, speed } = this;
    const at = cursor?.requested ?? pending?.step ?? null;
    const light = cursor ? cursor.holdsLight : pending?.beats === "light";
    return {
      from: replay?.from ?? null,
      speed: replay || (at !== null && speed !== DEFAULT_SPEED) ? speed : null,
      at,
      beat: at && light ? 1 : null,
      set: this.pastSet.wanted,
    };
  }

  /**
   * Go to a position in time; what it lacks stays. A step to stand at ends a replay, and the other
   * way round. Nothing restarts that is there already.
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

  /**
   * Stand at a step. Of a run that ended before it, stand at its last; wait for one that training
   * has not come to.
   */
  private standAt(step: number, beats: Beats) {
    const { newestStep } = this;
    const over = hasEnded(this.status?.phase);
    if (step > newestStep && over) step = this.clampedTo = newestStep;
    if (step <= newestStep) step = this.heldAt(step);
    if (step <= newestStep && this.cursor) this.cursor.seek(step, beats);
    else if (step > newestStep || !this.openCursor(step, beats)) {
      this.closeCursor(false);
      this.pending = { step, beats };
      this.leaveReplay();
    }
  }

  /** Stand at the step that was asked for, if the tokens are loaded and it has come, or never will. */
  protected standAtPending() {
    const { pending, past, awaited } = this;
    if (pending && past && (!awaited || hasEnded(this.status?.phase)))
      this.standAt(pending.step, pending.beats);
  }

  /** Return the newest known step. */
  get newestStep(): number {
    return Math.max(this.status?.step ?? 0, this.newest.step ?? 0);
  }

  /** Return whether the run is a single matrix, without any step. */
  get still(): boolean {
    return this.status?.phase === "finished" && this.status.step === 0;
  }

  /** Pause this picture; training is not affected. */
  pausePicture() {
    if (!this.paused) this.seek(this.displayedStep ?? 0);
  }

  /** Resume playing from the step shown; from the start, if it is the end of a run that is over. */
  resumePicture() {
    if (!this.cursor) return;
    const { requested: step } = this.cursor;
    this.play(hasEnded(this.status?.phase) && step >= this.newestStep ? 0 : step);
  }

  /** Seek to a past step, at once. */
  seek(step: number) {
    if (this.still) return;
    step = this.clampStep(step);
    this.openCursor(step)?.seek(step);
  }

  /** Step on or back by `steps`; a single step forward is shown in two beats. */
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
   * Prefetch for a scrub while the pointer is near the timeline's handle (`entered`); stop when it
   * leaves.
   */
  prefetchForScrub(entered: boolean) {
    if (entered) void this.past?.prefetch.skim(this.method).catch(() => undefined);
    else if (this.cursor) this.past?.prefetch.endSkim();
    else this.past?.suspend();
  }

  pauseScrub() {
    this.cursor?.pauseScrub();
  }

  endScrub() {
    this.cursor?.endScrub();
  }

  /** Return the last step that can be shown at or before another one: any, unless the run is in a file. */
  heldAt(step: number): number {
    return this.past?.heldAt(step) ?? step;
  }

  /** Return the step nearest to `step` that can be shown. */
  private clampStep(step: number): number {
    const within = Math.max(0, Math.min(step, this.newestStep));
    return this.heldAt(within);
  }

  /**
   * Open the time cursor, leaving live or the replay; return null while there are no tokens to
   * show.
   */
  protected openCursor(step: number, beats: Beats = "move"): TimeCursor | null {
    const { past } = this;
    if (!past) return null;
    const from = this.isComing ? null : this.newest;
    const { layouts } = this;
    this.pending = null;
    if (!this.cursor) {
      // During a replay new maps are not reported, so the index would go stale.
      if (this.replay) past.suspend();
      const method = () => this.method;
      this.cursor = new TimeCursor(past, from, step, beats, method, this.frameClock);
      this.cursor.layouts = layouts;
      this.leaveReplay();
    }
    return this.cursor;
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

  /** Play the run from a step on. */
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
   * Show the smoothed layouts of the past, or those made live. Starts a replay if none of the past
   * is shown.
   */
  setReprojected(reprojected: boolean) {
    const set = reprojected === this.pastSet.byDefault ? null : reprojected ? "again" : "live";
    this.goTo({ set, ...(reprojected && !this.inPast && { from: 0 }) });
  }

  /** Return whether the past is shown on the smoothed layouts instead of those made live. */
  get reprojected(): boolean {
    return this.pastSet.smoothed;
  }

  /** Return whether the layouts shown are the smoothed ones. */
  get showsReprojected(): boolean {
    return this.reprojected && (this.inPast || (this.rests && this.pastSet.rest !== null));
  }

  /** Return whether a past step is shown, or played. */
  protected get inPast(): boolean {
    return this.paused || this.replay !== null;
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
  }

  /**
   * Train one step by `ask`, and show it live in two beats; return what `ask` does: whether the
   * trainer takes the request.
   */
  async trainOneStep(ask: () => Promise<boolean>): Promise<boolean> {
    const { replay } = this;
    if (replay || this.cursor || this.pending) this.goLive();
    if (replay) {
      // A step trained before the stream of the present begins would come without its two beats.
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
