/**
 * The state that follows a run's socket frame by frame: maps, districts, and the current beat with the counts
 * up to it. It is live or a replay, and is kept up to date while this viewer looks at a past step.
 */

import type { Beat } from "../../api/beat-frames";
import type { Census, Districts, Frame, Layout, LayoutMethod } from "../../api/frames";
import { BeatScheduler } from "./beat-scheduler";
import { LossSeries, type LossPoint, type LossChartData } from "./loss-series";
import { TouchCounts } from "../../model/touch-counts";
import { buildCounters, ShownStep, LIGHT_DURATION, type Counters } from "../shown-step.svelte";
import { lightOfBeat, type StepLight } from "../../model/light";
import { FrameCounts } from "./frame-counts";

/** Limit on the beats that wait for the tokens; above it, a restart is requested. */
const MAX_QUEUED = 500;
/** Limit on the layouts that wait for their beat. */
const MAX_HELD = 64;
/** Maximum time between a census and its maps, in ms. */
const CENSUS_WAIT = 100;
/** How long after the next beat a replayed layout waits for the beat of its step, in ms. */
const HELD_WAIT = 1_000;

/** The circumstances that decide how a frame is applied. */
export interface FrameContext {
  /** Layout method of the view. */
  method: LayoutMethod;
  /** Set during a replay, when an older map may follow a newer one. */
  played: boolean;
  /**
   * Set during training, when the map may lag behind the linear view because it draws the steps it missed.
   */
  growing: boolean;
  /** Set while the run trains one step at a time; each step is then shown in two beats. */
  stepwise: boolean;
  /** Requested steps per second; null: unlimited. */
  speed: number | null;
}

interface NewestStepEvents {
  /** Report a map, or districts. */
  onMap(frame: Layout | Districts): void;
  /** Report a beat of that attempt. */
  onBeat(attempt: number): void;
  /** Report a census, which starts a new sequence. */
  onCensus(): void;
}

export class NewestStep extends ShownStep {
  series = $state.raw<LossChartData | null>(null);
  /** Counts of the frames received. */
  readonly frameCounts = new FrameCounts();
  readonly scheduler = new BeatScheduler(700);
  newestBeat: Beat | null = null;
  /** Last step received, by a beat or a census. */
  lastStep = 0;
  /** Set if more beats arrived before the tokens than could wait. */
  overflowed = false;

  private readonly lossSeries = new LossSeries();
  /** Set if points are missing from a replay's series. */
  private seriesStale = true;
  private queued: Frame[] = [];
  /** Shows the waiting beat as soon as it is due. */
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** When the second beat of a single step starts, as of `performance.now()`. */
  private moveAt = 0;
  /** Layouts and districts of a replay that wait for the beat of their step. */
  private held: { frame: Layout | Districts; until: number }[] = [];
  /**
   * Set if the layouts on display are of another time than the arriving frames; the next layout replaces them
   * all.
   */
  private layoutsStale = false;
  /** Set from a jump to another time until its first frame, a census, replaces the display. */
  private jumping = false;
  /** When that census arrived, as of `performance.now()`. */
  private jumpedAt = 0;

  constructor(
    private readonly context: () => FrameContext,
    private readonly events: NewestStepEvents,
  ) {
    super();
  }

  /** Set the vocabulary's size, then apply the waiting frames. */
  setVocabulary(vocabulary: number) {
    this.touchCounts = new TouchCounts(vocabulary);
    for (const frame of this.queued.splice(0)) this.receive(frame);
  }

  receive(frame: Frame) {
    const { touchCounts } = this;
    if (!touchCounts) {
      this.queue(frame);
      return;
    }
    this.frameCounts.receive(frame);
    if (frame.kind === "census") this.receiveCensus(frame, touchCounts.vocabulary);
    else if (frame.kind === "layout") this.receiveLayout(frame);
    else if (frame.kind === "districts") this.receiveDistricts(frame);
    else if (frame.kind === "beat") this.receiveBeat(frame, touchCounts);
  }

  /**
   * Discard the queue, for a jump to another time. The step on display stays, with all its numbers, until
   * frames of that time arrive: the server may be away.
   */
  leaveTime() {
    this.layoutsStale = this.jumping = this.seriesStale = true;
    this.held = [];
    this.frameCounts.breakSequence();
    this.newestBeat = null;
    this.beatPhase = null;
    this.scheduler.clear();
  }

  /** Add steps that no beat shows, each as a point of the charts. */
  addPassed(points: LossPoint[]) {
    for (const point of points) this.lossSeries.addPoint(point);
  }

  /** Load the points of the record up to now. */
  loadRecord(points: LossPoint[]) {
    this.lossSeries.load(points);
    this.frameCounts.markFetched(points.at(-1)?.step ?? 0);
    this.seriesStale = true;
    this.updateSeries();
  }

  /** Light a step from the record, unless a newer one is lit. `counters` are the counts up to it. */
  lightFromRecord(beat: StepLight, counters: Counters | null) {
    const lit = this.beat;
    if (lit && beat.attempt <= lit.attempt && beat.step <= lit.step) return;
    this.touchCounts?.applyNorms(beat);
    this.display(beat, counters ?? this.countersAt(beat.step));
  }

  /** Return the counts up to a step; null unless it is the last one counted. */
  countersAt(step: number): Counters | null {
    const { touchCounts } = this;
    return touchCounts?.step === step ? buildCounters(touchCounts) : null;
  }

  /**
   * Start the waiting beat if it is due at `now` (ms), and the second beat of a single step; show the layouts
   * that waited for a beat.
   */
  tick(now: number) {
    // The map may take long, or be another method's.
    if (this.beatPhase === "light" && now >= this.moveAt) this.beatPhase = "move";
    const beat = this.scheduler.tick(now);
    if (beat) this.startBeat(beat);
    // A census comes with the maps of its step: layouts of another time do not belong to it.
    if (this.layoutsStale && !this.jumping && now - this.jumpedAt > CENSUS_WAIT) {
      this.layouts = {};
      this.layoutsStale = false;
    }
    const { held } = this;
    while (held[0] && (held[0].frame.step <= (this.step ?? 0) || held[0].until <= now)) {
      const { frame } = held.shift()!;
      if (frame.kind === "layout") this.applyLayout(frame);
      else this.districts = frame;
    }
  }

  /**
   * Return the duration of a beat, in ms: it ends before the next one, and lasts slightly longer in slow
   * runs.
   */
  beatDuration(): number {
    const { speed } = this.context();
    const spacing = speed ? 1_000 / speed : 0;
    return Math.max(this.scheduler.interval, Math.min(1_400, spacing)) * 0.97;
  }

  /**
   * Queue a frame until the tokens are loaded. All beats after the newest census count; of other kinds the
   * newest is enough.
   */
  private queue(frame: Frame) {
    if (frame.kind === "beat") {
      this.overflowed ||= this.queued.length >= MAX_QUEUED;
      if (!this.overflowed) this.queued.push(frame);
      return;
    }
    const replaced = (other: Frame) =>
      (other.kind === "beat" && frame.kind === "census") ||
      (other.kind === frame.kind &&
        (frame.kind !== "layout" || (other as Layout).method === frame.method));
    if (frame.kind === "census") this.overflowed = false;
    this.queued = [...this.queued.filter((other) => !replaced(other)), frame];
  }

  private receiveCensus(census: Census, vocabulary: number) {
    const { jumping } = this;
    this.jumping = false;
    if (jumping) {
      this.jumpedAt = performance.now();
      this.touchCounts = new TouchCounts(vocabulary);
      this.districts = null;
    }
    const touchCounts = this.touchCounts!;
    touchCounts.loadCensus(census);
    this.lastStep = census.step;
    // A beat may have been missed between the last one and the census.
    if (this.newestBeat?.step !== census.step) this.newestBeat = null;
    const { beat } = this;
    const same = beat?.step === census.step && beat.attempt === census.attempt;
    if (beat && (same || !jumping)) touchCounts.applyNorms(beat);
    else this.beat = null;
    if (same || !this.beat) this.counters = buildCounters(touchCounts);
    this.events.onCensus();
  }

  private receiveLayout(layout: Layout) {
    this.events.onMap(layout);
    if (this.layoutsStale) this.layouts = {};
    this.layoutsStale = false;
    if (this.holds(layout)) return;
    const { beat } = this;
    const now = performance.now();
    // In single-step training the light is shown before anything moves.
    const delay = this.beatPhase && beat && layout.step >= beat.step ? this.moveAt - now : 0;
    if (delay > 0) setTimeout(() => this.applyLayout(layout), delay);
    else this.applyLayout(layout);
  }

  private applyLayout(layout: Layout) {
    const { layouts, beatPhase, beat } = this;
    const { method, played, growing } = this.context();
    const current = layouts[layout.method];
    // A map that is still catching up on missed steps is not shown yet.
    if (growing && !current && layout.step < (layouts.linear?.step ?? 0)) return;
    // A newer layout may have arrived while this one waited.
    if (current && current.attempt === layout.attempt && current.step > layout.step && !played)
      return;
    this.layouts = { ...layouts, [layout.method]: layout };
    if (beatPhase && layout.method === method && layout.step >= (beat?.step ?? 0)) {
      this.beatPhase = "move";
    }
  }

  private receiveDistricts(districts: Districts) {
    this.events.onMap(districts);
    if (!this.holds(districts)) this.districts = districts;
  }

  /** Keep a frame of a replay until the beat of its step. Return whether it has to wait. */
  private holds(frame: Layout | Districts): boolean {
    const { step, held, scheduler } = this;
    if (step === null || frame.step <= step || !this.context().played) return false;
    // The replay may end before that step.
    held.push({ frame, until: performance.now() + scheduler.interval + HELD_WAIT });
    if (held.length > MAX_HELD) held.shift();
    return true;
  }

  /** Count the steps of a beat, and show it if one is due. */
  private receiveBeat(beat: Beat, touchCounts: TouchCounts) {
    if (!touchCounts.apply(beat)) return;
    const { attempt, step, loss } = beat;
    this.lastStep = step;
    if (this.newestBeat && attempt !== this.newestBeat.attempt) this.scheduler.clear();
    this.newestBeat = beat;
    this.events.onBeat(attempt);
    // A copy: the norms are a view of the frame, which would otherwise stay in memory.
    const norms = beat.layerNorms.slice();
    const ever = touchCounts.everTouched;
    if (this.lossSeries.addPoint({ attempt, step, loss, norms, ever })) this.seriesStale = true;
    const now = performance.now();
    const shown = this.scheduler.offer(beat, now);
    clearTimeout(this.timer);
    if (shown) this.startBeat(shown);
    else this.timer = setTimeout(() => this.tick(performance.now()), this.scheduler.wait(now));
  }

  private startBeat(beat: Beat) {
    const decodedAt = performance.timeOrigin + performance.now();
    this.display(lightOfBeat(beat, this.beatDuration(), decodedAt), this.countersAt(beat.step));
    this.beatPhase = this.context().stepwise ? "light" : null;
    this.moveAt = performance.now() + LIGHT_DURATION;
  }

  /** Show a step: its light, its counts and its point of the loss change together. */
  private display(beat: StepLight, counters: Counters | null) {
    this.beat = beat;
    this.counters = counters;
    this.updateSeries();
  }

  private updateSeries() {
    const { beat, counters } = this;
    const { played } = this.context();
    if (played && !this.seriesStale) return;
    this.seriesStale = false;
    // A live line ends with the step on display; a replay's continues to steps not played yet.
    this.series = this.lossSeries.chartData(
      beat && !played ? { ...beat, norms: beat.layerNorms, ever: counters?.ever ?? null } : null,
    );
  }
}
