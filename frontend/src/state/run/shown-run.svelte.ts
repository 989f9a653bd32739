/**
 * A run as one viewer sees it: the steps requested, on display and settled, and the picture. The viewer is
 * live, in a replay from some step, or at a past step.
 */

import type { Districts, Layout, LayoutMethod } from "../../api/frames";
import type { namedByTokens } from "../../model/districts/district-names";
import type { ViewState } from "../../model/view/view-state";
import type { FrameContext, NewestStep } from "../live/newest-step.svelte";
import type { PastStep, PastStore } from "../past/past-store";
import type { Beats, TimeCursor } from "../past/time-cursor.svelte";
import { layoutIn, viewOrder, type Layouts, type ShownStep } from "../shown-step.svelte";
import { KnownRun } from "./known-run.svelte";
import { DEFAULT_SPEED, type Replay } from "./replay";
import type { Status } from "../../api/rest-types";
import { hasEnded } from "../../model/phase";

export class PastSet {
  /** The requested set; null: the default. */
  wanted: ViewState["set"] = $state(null);
  /** Set if the smoothed ones are in use. */
  smoothed = $state(false);
  /**
   * The last smoothed layouts, on which the run rests; empty while they load, null if the last live ones are
   * shown.
   */
  rest = $state.raw<Layouts | null>(null);

  /** Identity of the last fetch, so that an older one does not replace its result. */
  private asked: object | null = null;

  constructor(private readonly status: () => Status | null) {}

  /**
   * Return whether the smoothed set is the default: the run has ended, and the smoothed maps cover all its
   * steps.
   */
  get byDefault(): boolean {
    const { phase, smoothed = null, step = 0 } = this.status() ?? {};
    return hasEnded(phase) && smoothed !== null && smoothed >= step;
  }

  /** Choose the set from the request and the available ones; return whether it changed. */
  choose(past: PastStore | null): boolean {
    const smoothed =
      (this.wanted ? this.wanted === "again" : this.byDefault) && this.status()?.smoothed != null;
    if (smoothed === this.smoothed) return false;
    this.smoothed = smoothed;
    past?.invalidate(smoothed);
    void this.fetchRest(past);
    return true;
  }

  /** Fetch the layouts to rest on. `hold`: show none until they are there. */
  async fetchRest(past: PastStore | null, hold = false) {
    const asked = (this.asked = {});
    if (!past || !this.smoothed) {
      this.rest = null;
      return;
    }
    if (hold) this.rest = {};
    try {
      const step = this.status()?.step ?? 0;
      const [linear, umap] = await Promise.all([
        past.fetchLayouts(step, "linear"),
        past.fetchLayouts(step, "umap"),
      ]);
      if (asked === this.asked) this.rest = { ...linear, ...umap };
    } catch {
      // The live map is good enough.
      if (asked === this.asked) this.rest = null;
    }
  }
}

/**
 * A viewer's position in time: at a past step `at`, in a replay from a step `from`, or live if both are null.
 */
export type TimePosition = Pick<ViewState, "from" | "speed" | "at" | "beat" | "set">;

export abstract class ShownRun extends KnownRun {
  /** The replay in progress; null: live, or at a past step. */
  replay = $state.raw<Replay | null>(null);

  /** Set if districts are named after their own tokens, not after planted classes. */
  private ownNames = false;
  /** The code that renames them, which loads on first use; null: they keep their names. */
  private rename = $state.raw<typeof namedByTokens | null>(null);

  /** Set of layouts for the past. */
  protected readonly pastSet = new PastSet(() => this.status);

  /** Playback speed of this replay or the next, in steps per second. */
  speed = $state(DEFAULT_SPEED);
  /** The time cursor on a past step; null: none. */
  cursor = $state.raw<TimeCursor | null>(null);

  /** State that follows the socket, shown unless this viewer is at a past step. */
  protected abstract readonly newest: NewestStep;
  protected past: PastStore | null = null;
  /** Newest attempt seen. */
  protected attempt = 0;
  /** Position at which the time cursor opens once the tokens are loaded and the step exists. */
  protected pending = $state.raw<{ step: number; beats: Beats } | null>(null);
  protected method: LayoutMethod = "umap";

  /** The last step, if the cursor stands there because the run ended before the requested step. */
  protected clampedTo = $state<number | null>(null);
  /** Set from the request for a single training step until training is paused after it. */
  protected singleStep = false;

  private get shownStep(): ShownStep {
    return this.cursor ?? this.newest;
  }

  /** Return the newest layout of each method at the step on display; empty while that is awaited. */
  get layouts(): Layouts {
    if (this.isComing) return {};
    return (this.rests && this.pastSet.rest) || this.shownStep.layouts;
  }

  /** Return whether the final state of a run that has ended is on display. */
  private get rests(): boolean {
    return !this.inPast && this.over;
  }

  /** Return whether a step named by a link, for which the newest picture stands in, is awaited. */
  protected get isComing(): boolean {
    return this.pending !== null && !this.awaited;
  }

  /** Return the layout of a method, or the other one until that exists. */
  layoutFor(wanted: LayoutMethod): Layout | null {
    return layoutIn(this.layouts, wanted);
  }

  /** Fetch everything needed to show a past step; null until the tokens are loaded. */
  fetchPastStep(step: number, method: LayoutMethod): Promise<PastStep> | null {
    return this.past?.fetchStep(step, method) ?? null;
  }

  /** Return the first map of a view, or else of the other one; null if there is none yet. */
  async firstMap(wanted: LayoutMethod): Promise<{ method: LayoutMethod; step: number } | null> {
    for (const method of viewOrder(wanted)) {
      const step = (await this.past?.index.mapSteps(-1, method))?.next ?? null;
      if (step !== null) return { method, step };
    }
    return null;
  }

  /** Return the clusters of the space, named as this viewer wants; null if none were computed. */
  get districts(): Districts | null {
    return this.named(this.shownStep.districts);
  }

  /** Name districts after their own tokens, or after planted classes. */
  async nameDistricts(own: boolean) {
    this.ownNames = own;
    const load = own ? import("../../model/districts/district-names").catch(() => null) : null;
    const loaded = await load;
    if (own === this.ownNames) this.rename = loaded?.namedByTokens ?? null;
  }

  /** Return clusters of the space of this run, or of `other`, named as this viewer wants. */
  named(districts: Districts | null, { vocabulary }: KnownRun = this): Districts | null {
    return districts && vocabulary && this.rename ? this.rename(districts, vocabulary) : districts;
  }

  get beat() {
    return this.shownStep.beat;
  }

  /** Return the counts up to the step on display; null if not known. */
  get counters() {
    return this.shownStep.counters;
  }

  /** Return the step on display, which all numbers belong to; null before the first. */
  get displayedStep(): number | null {
    return this.shownStep.step;
  }

  /**
   * Return the beat and the counters for parts that are slow to draw: during a scrub, those of the step where
   * the pointer last rested.
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

  /** Set the minimum milliseconds between two beats. */
  setBeatInterval(milliseconds: number) {
    this.newest.scheduler.interval = milliseconds;
  }

  get beatInterval(): number {
    return this.newest.scheduler.interval;
  }

  /** Return which of the two beats of a single step is on display. */
  get beatPhase() {
    return this.shownStep.beatPhase;
  }

  /** Return whether this viewer's picture is paused. */
  get paused(): boolean {
    return this.cursor !== null || this.isComing;
  }

  /** Return whether training has not reached the requested step; the newest is shown until then. */
  get awaited(): boolean {
    return this.pending !== null && this.status !== null && this.pending.step > this.newestStep;
  }

  /** Return whether the step of the cursor does not exist, or no longer, but may come. */
  get missing(): boolean {
    const { cursor } = this;
    return cursor?.problem != null && cursor.requested > this.newestStep;
  }

  /** Return whether the last step is shown because the run ended before the requested one. */
  get clamped(): boolean {
    return this.clampedTo !== null && this.cursor?.requested === this.clampedTo;
  }

  /** Return the requested past step, which the handle shows; null while the newest is shown. */
  get requestedStep(): number | null {
    const pending = this.awaited ? null : this.pending;
    return this.cursor?.requested ?? pending?.step ?? this.playedStep;
  }

  /** Return the past step that panels request; null while the newest is shown. */
  get settledStep(): number | null {
    return this.cursor?.settled.step ?? this.requestedStep;
  }

  /** Return the step on display in a replay; null without one. */
  private get playedStep(): number | null {
    return this.replay && (this.displayedStep ?? this.replay.from);
  }

  /** Return the newest known step. */
  get newestStep(): number {
    return Math.max(this.status?.step ?? 0, this.newest.step ?? 0);
  }

  /** Record an attempt. A newer one took over steps, perhaps the one on display. */
  protected noteAttempt(attempt: number) {
    if (attempt <= this.attempt) return;
    const known = this.attempt > 0;
    this.attempt = attempt;
    // The last beat of an older attempt may be invalid now.
    const { newest } = this;
    if (newest.newestBeat && newest.newestBeat.attempt < attempt) newest.newestBeat = null;
    if (!known) return;
    this.past?.invalidate(this.reprojected);
    this.cursor?.refresh();
  }

  /** Return the last step that can be shown at or before another one: any, unless the run is in a file. */
  heldAt(step: number): number {
    return this.past?.heldAt(step) ?? step;
  }

  /** Return whether the past is shown on the smoothed layouts instead of the live ones. */
  get reprojected(): boolean {
    return this.pastSet.smoothed;
  }

  /** Return whether the layouts on display are the smoothed ones. */
  get showsReprojected(): boolean {
    return this.reprojected && (this.inPast || (this.rests && this.pastSet.rest !== null));
  }

  /** Return whether a past step is on display, or a replay is. */
  protected get inPast(): boolean {
    return this.paused || this.replay !== null;
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

  /** Return the circumstances in which a frame of the stream is applied. */
  protected get frameContext(): FrameContext {
    const { method, replay, status } = this;
    return {
      method,
      played: replay !== null,
      growing: !replay && status?.phase === "running",
      stepwise:
        !replay && (this.singleStep || status?.pace === "single" || status?.phase === "paused"),
      speed: replay?.speed ?? status?.pace_steps_per_second ?? null,
    };
  }
}
