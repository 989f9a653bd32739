/**
 * The state that follows a run's socket frame by frame: maps, districts, the current beat and the
 * counters. It is live or played, and keeps up unseen while this viewer is at a past step.
 */

import type { Districts, Frame, Layout, Method, Pulse } from "../../api/frames";
import { BeatScheduler } from "./beat-scheduler";
import { History, type Point, type Series } from "./loss-series";
import { Ledger } from "../../model/touch-counts";
import { countersOf, Shown, LIGHT } from "../shown-step.svelte";
import { beatOfPulse, type StepBeat } from "../../model/step-beat";
import { Tally } from "./frame-counts";

/** Limit on the pulses that wait for the tokens; beyond it a fresh start is requested. */
const MOST_WAITING = 2_000;

/** The circumstances that decide how a frame is applied. */
export interface Pace {
  /** Layout method of the view. */
  method: Method;
  /** Set during a replay, where an older map may follow a newer one. */
  played: boolean;
  /** Set while the run trains one step at a time; each step is then shown in two beats. */
  stepwise: boolean;
  /** Requested steps a second; null: unlimited. */
  speed: number | null;
}

export interface PresentEvents {
  /** Report a map, or districts. */
  found(frame: Layout | Districts): void;
  /** Report a pulse of that attempt. */
  pulsed(attempt: number): void;
  /** Report a census, which starts a new sequence. */
  begun(): void;
}

export class Present extends Shown {
  series = $state.raw<Series | null>(null);
  /** Counts of the frames received. */
  readonly tally = new Tally();
  readonly scheduler = new BeatScheduler(700);
  newest: Pulse | null = null;
  /** Last step received, by a pulse or a census. */
  told = 0;
  /** Set when more pulses came before the tokens than could wait. */
  overflowed = false;

  private readonly history = new History();
  private chartStale = true;
  private waiting: Frame[] = [];
  private mergedSince: number | null = null;
  /** When the second beat of a single step starts, as of `performance.now()`. */
  private moveAt = 0;
  /**
   * Set when the layouts shown are of another time than the frames that arrive; the next layout
   * replaces them all.
   */
  private elsewhere = false;

  constructor(
    private readonly pace: () => Pace,
    private readonly events: PresentEvents,
  ) {
    super();
  }

  /** Set the vocabulary's size, then apply the frames that waited for it. */
  begin(vocabulary: number) {
    this.ledger = new Ledger(vocabulary);
    for (const frame of this.waiting.splice(0)) this.take(frame);
  }

  take(frame: Frame) {
    const { ledger } = this;
    if (!ledger) {
      this.wait(frame);
      return;
    }
    this.tally.take(frame);
    if (frame.kind === "census") {
      ledger.begin(frame);
      this.told = frame.step;
      // A pulse may have been missed between the last one and the census.
      if (this.newest?.step !== frame.step) this.newest = null;
      this.events.begun();
    }
    if (frame.kind === "layout") this.takeLayout(frame);
    else if (frame.kind === "districts") this.takeDistricts(frame);
    else if (frame.kind === "pulse") this.takePulse(frame, ledger);
  }

  /** Reset what was counted or queued, for a jump to another time. */
  leave() {
    this.elsewhere = true;
    this.tally.leave();
    this.newest = null;
    this.mergedSince = null;
    this.districts = null;
    this.telling = null;
    this.scheduler.clear();
    if (this.ledger) this.ledger = new Ledger(this.ledger.vocabulary);
  }

  /** Load the record's points, up to now. */
  recorded(points: Point[]) {
    this.history.begin(points);
    this.tally.fetched(points.at(-1)?.step ?? 0);
    this.chartStale = true;
  }

  /** Light a step from the record, unless a newer one is lit. */
  light(beat: StepBeat) {
    const lit = this.beat;
    if (!lit || beat.attempt > lit.attempt || beat.step > lit.step) this.beat = beat;
  }

  /** Start the waiting beat if it is due at `now` (ms). */
  tick(now: number) {
    const beat = this.scheduler.tick(now);
    if (beat) this.show(beat);
  }

  /**
   * Return whether only merged pulses came for that many ms, so that no step was lit; if so,
   * restart the measurement.
   */
  dimFor(milliseconds: number, now: number): boolean {
    if (this.mergedSince === null || now - this.mergedSince <= milliseconds) return false;
    this.mergedSince = now;
    return true;
  }

  count() {
    const { ledger, counters, newest } = this;
    if (!ledger) return;
    if (counters?.step === (newest?.step ?? ledger.step)) return;
    this.counters = countersOf(ledger, newest?.loss ?? NaN);
  }

  /** Update the loss series if it changed; return whether it did. */
  chart(): boolean {
    if (!this.chartStale) return false;
    this.chartStale = false;
    this.series = this.history.series();
    return true;
  }

  /**
   * Return the duration of a beat, in ms: it ends before the next, and slow runs let it linger a
   * little.
   */
  lasting(): number {
    const { speed } = this.pace();
    const spacing = speed ? 1_000 / speed : 0;
    return Math.max(this.scheduler.interval, Math.min(1_400, spacing)) * 0.97;
  }

  /**
   * Queue a frame until the tokens are loaded. The pulses after the newest census all count; of any
   * other kind the newest is enough.
   */
  private wait(frame: Frame) {
    if (frame.kind === "pulse") {
      this.overflowed ||= this.waiting.length >= MOST_WAITING;
      if (!this.overflowed) this.waiting.push(frame);
      return;
    }
    const replaced = (other: Frame) =>
      (other.kind === "pulse" && frame.kind === "census") ||
      (other.kind === frame.kind &&
        (frame.kind !== "layout" || (other as Layout).method === frame.method));
    if (frame.kind === "census") this.overflowed = false;
    this.waiting = [...this.waiting.filter((other) => !replaced(other)), frame];
  }

  private takeLayout(layout: Layout) {
    this.events.found(layout);
    if (this.elsewhere) this.layouts = {};
    this.elsewhere = false;
    const { beat } = this;
    // In stepwise training the light is seen before anything moves.
    const early =
      this.telling && beat && layout.step >= beat.step ? this.moveAt - performance.now() : 0;
    if (early > 0) setTimeout(() => this.place(layout), early);
    else this.place(layout);
  }

  private place(layout: Layout) {
    const { layouts, telling, beat } = this;
    const { method, played } = this.pace();
    const there = layouts[layout.method];
    // A newer one may have arrived while this one waited.
    if (there && there.attempt === layout.attempt && there.step > layout.step && !played) return;
    this.layouts = { ...layouts, [layout.method]: layout };
    if (telling && layout.method === method && layout.step >= (beat?.step ?? 0)) {
      this.telling = "move";
    }
  }

  private takeDistricts(found: Districts) {
    this.events.found(found);
    this.districts = found;
  }

  private takePulse(pulse: Pulse, ledger: Ledger) {
    this.told = pulse.step;
    if (this.newest && pulse.attempt !== this.newest.attempt) this.scheduler.clear();
    this.newest = pulse;
    ledger.add(pulse);
    const { attempt, step, loss } = pulse;
    this.events.pulsed(attempt);
    // A copy: the norms are a view into the frame, which would stay in memory as long as they do.
    const norms = pulse.layerNorms.slice();
    this.history.add({ attempt, step, loss, norms, ever: ledger.ever });
    this.chartStale = true;
    const now = performance.now();
    const beat = this.scheduler.offer(pulse, now);
    if (beat) this.show(beat);
    if (pulse.merged) this.mergedSince ??= now;
    else this.mergedSince = null;
  }

  private show(pulse: Pulse) {
    const decodedAt = performance.timeOrigin + performance.now();
    this.beat = beatOfPulse(pulse, this.lasting(), decodedAt);
    this.telling = this.pace().stepwise ? "light" : null;
    this.moveAt = performance.now() + LIGHT;
  }
}
