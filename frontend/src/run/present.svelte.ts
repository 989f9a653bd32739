/**
 * What comes in over a run's socket, taken up frame by frame: maps, districts, the beat that is on, what has been
 * counted. It is the present, or what is played; where this viewer stands elsewhere it goes on unseen.
 */

import type { Districts, Frame, Layout, Method, Pulse } from "../wire/frames";
import { BeatScheduler } from "./beats";
import { History, type Point, type Series } from "./history";
import { Ledger } from "./ledger";
import { countersOf, Shown } from "./shown.svelte";
import { LIGHT } from "./standing.svelte";
import { beatOfPulse, type StepBeat } from "./stepbeat";
import { Tally } from "./tally";

/** So many pulses wait for the tokens; beyond them a new beginning is asked for. */
const MOST_WAITING = 2_000;

/** What the way of a frame depends on. */
export interface Pace {
  /** The view that is looked at. */
  method: Method;
  /** What comes is played: an older map may follow a newer one. */
  played: boolean;
  /** The run trains one step at a time: each is told in two beats. */
  stepwise: boolean;
  /** Steps a second that were asked for; null: as fast as it goes. */
  speed: number | null;
}

export interface PresentEvents {
  /** A map, or districts, came. */
  found(frame: Layout | Districts): void;
  /** A pulse came, of that attempt. */
  pulsed(attempt: number): void;
  /** A new beginning was told. */
  begun(): void;
}

export class Present extends Shown {
  series = $state.raw<Series | null>(null);
  /** What came in, counted. */
  readonly tally = new Tally();
  readonly scheduler = new BeatScheduler(700);
  newest: Pulse | null = null;
  /** The last step that was told. */
  told = 0;
  /** More came before the tokens than could wait. */
  overflowed = false;

  private readonly history = new History();
  private chartStale = true;
  private waiting: Frame[] = [];
  private mergedSince: number | null = null;
  /** When the step that is told in two beats moves. */
  private moveAt = 0;
  /** What comes is of another time than the maps that are there: the first of its own replaces them. */
  private elsewhere = false;

  constructor(
    private readonly pace: () => Pace,
    private readonly events: PresentEvents,
  ) {
    super();
  }

  /** The tokens are there: what waited for them is taken up. */
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
      // Of the steps before it some may have been missed: the last pulse is not the newest step any more.
      if (this.newest?.step !== frame.step) this.newest = null;
      this.events.begun();
    }
    if (frame.kind === "layout") this.takeLayout(frame);
    else if (frame.kind === "districts") this.takeDistricts(frame);
    else if (frame.kind === "pulse") this.takePulse(frame, ledger);
  }

  /** To another time: nothing that was counted or waits belongs to it. */
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

  /** The record as it was read, up to now. */
  recorded(points: Point[]) {
    this.history.begin(points);
    this.tally.fetched(points.at(-1)?.step ?? 0);
    this.chartStale = true;
  }

  /** A step out of the record, lit unless something newer is. */
  light(beat: StepBeat) {
    const lit = this.beat;
    if (!lit || beat.attempt > lit.attempt || beat.step > lit.step) this.beat = beat;
  }

  /** Time passed: a beat that waited may be due. */
  tick(now: number) {
    const beat = this.scheduler.tick(now);
    if (beat) this.show(beat);
  }

  /** Only merged pulses came for so many ms: no step was lit. Asked again, the time begins anew. */
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

  /** Loss by step anew, where it changed; whether it did. */
  chart(): boolean {
    if (!this.chartStale) return false;
    this.chartStale = false;
    this.series = this.history.series();
    return true;
  }

  /** A beat is gone before the next; slow runs let it linger a little. */
  lasting(): number {
    const { speed } = this.pace();
    const spacing = speed ? 1_000 / speed : 0;
    return Math.max(this.scheduler.interval, Math.min(1_400, spacing)) * 0.97;
  }

  /**
   * The tokens are on their way. Every pulse after the newest census counts; of everything else the newest is
   * enough meanwhile.
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
    // Where training goes step by step, the light is seen before anything moves.
    const early =
      this.telling && beat && layout.step >= beat.step ? this.moveAt - performance.now() : 0;
    if (early > 0) setTimeout(() => this.place(layout), early);
    else this.place(layout);
  }

  private place(layout: Layout) {
    const { layouts, telling, beat } = this;
    const { method, played } = this.pace();
    const there = layouts[layout.method];
    // A newer one may have come while this one waited.
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
    // A copy: the norms are a view into the frame, which would stay as long as they do.
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
