/**
 * The time cursor of a viewer at a past step, who steps forward or back or scrubs through time.
 *
 * The last requested step wins, but a cached one is shown first: a fast scrub shows the steps it passes. A
 * single step forward is shown in two beats: first the rows lit by the batch, with everything in its old
 * place, and then the move.
 */

import type { LayoutMethod } from "../../api/frames";
import { FrameError } from "../../api/binary-reader";
import { ApiError, reasonGiven, type Failure } from "../../api/failure";
import type { MapSteps } from "./map-index";
import type { PastStep, PastStore } from "./past-store";
import { buildCounters, LIGHT_DURATION, ShownStep, type Layouts } from "../shown-step.svelte";
import type { FrameClock } from "../frame-clock";
import { lightOfBeat } from "../../model/light";
import { likelySteps } from "./step-ranges";

/** Delay before a scrub without a picture looks again, in ms. */
const SCRUB_TIMEOUT = 500;
/**
 * Maximum wait, in ms, for the scrubbed step's picture, so that the handle and the picture move in one frame.
 */
const HANDLE_TIMEOUT = 80;
/** Delay before an unresponsive server is asked again, in ms. */
const RETRY_DELAY = 1_500;

/**
 * The beats in which a step is shown: both if it follows the step on display (`told`), only the first, which
 * stays (`light`), or only the second (`move`).
 */
export type Beats = "told" | "light" | "move";

interface StepRequest {
  step: number;
  beats: Beats;
}

/** The step on which the picture rests, for parts that are slow to draw. */
interface SettledStep extends Pick<ShownStep, "beat" | "counters"> {
  step: number | null;
}

export class TimeCursor extends ShownStep {
  /**
   * The requested step, as the handle shows it; the step on display may differ. During a scrub it moves in
   * one frame with the next picture.
   */
  requested = $state(0);
  /** Set if the first beat of that step is held. */
  holdsLight = $state(false);
  /**
   * The step on display; during a scrub the one where the pointer last rested, or the one before the scrub.
   */
  settled = $state.raw<SettledStep>({ step: null, beat: null, counters: null });
  /** Why the requested step is not shown. */
  problem = $state.raw<Failure | null>(null);
  /** The attempt of the step shown before, if another attempt has replaced it. */
  superseded = $state<number | null>(null);
  /** Set during a scrub: every step appears at once, without gliding. */
  scrubbing = $state(false);
  /** Steps of the maps: the last one at or before the step, and the next. */
  mapSteps = $state.raw<MapSteps>({ at: null, next: null });

  /** The newest request, which during a scrub is ahead of `requested`. */
  private latest: StepRequest = { step: 0, beats: "move" };
  /** Set while the newest request has not been processed. */
  private waiting = false;
  private processing = false;
  private closed = false;
  private displayed: PastStep | null = null;
  private skipWait: (() => void) | null = null;
  private catchUpTimer: ReturnType<typeof setTimeout> | undefined;
  /** Set while the scrubbing pointer rests. */
  private handStill = false;
  /**
   * Until then (as of `performance.now()`) a scrub shows only cached steps, because the server did not
   * answer.
   */
  private serverDownUntil = 0;

  /**
   * Open the cursor at `step`; `from` is shown until its picture arrives. `method` returns the
   * layout method of the view.
   */
  constructor(
    private readonly past: PastStore,
    from: ShownStep | null,
    step: number,
    beats: Beats,
    private readonly method: () => LayoutMethod,
    private readonly frameClock: FrameClock,
  ) {
    super();
    if (from) this.copyFrom(from);
    const { step: displayed, beat, counters } = this;
    this.settled = { step: displayed, beat, counters };
    this.seek(step, beats);
  }

  /** Return the step under the pointer: during a scrub ahead of `requested`. */
  get handStep(): number {
    return this.latest.step;
  }

  /** Seek to a step. */
  seek(step: number, beats: Beats = "move") {
    this.request({ step, beats });
    this.catchUpWithHand();
  }

  /** Scrub to a step, without gliding until `endScrub`. */
  scrub(step: number) {
    this.scrubbing = true;
    this.handStill = false;
    if (step === this.latest.step) return;
    this.request({ step, beats: "move" });
    this.catchUpTimer ??= setTimeout(() => this.catchUpWithHand(), HANDLE_TIMEOUT);
  }

  /** Report that the scrubbing pointer rests: panels that query the server or draw a chart then follow. */
  pauseScrub() {
    this.handStill = true;
    this.settle();
  }

  endScrub() {
    this.scrubbing = false;
    this.catchUpWithHand();
    this.settle();
  }

  /** Show the same step again, because its record or its view has changed. */
  refresh() {
    const { step, beats } = this.latest;
    this.seek(step, beats === "told" ? "move" : beats);
  }

  close() {
    this.closed = true;
    clearTimeout(this.catchUpTimer);
    this.skipWait?.();
    this.past.suspend();
  }

  private request(request: StepRequest) {
    this.latest = request;
    this.waiting = true;
    this.skipWait?.();
    void this.processRequests();
  }

  /** Return whether it is closed. A function, because an await between two checks may have closed it. */
  private isClosed(): boolean {
    return this.closed;
  }

  private catchUpWithHand() {
    clearTimeout(this.catchUpTimer);
    this.catchUpTimer = undefined;
    this.requested = this.latest.step;
    this.holdsLight = this.latest.beats === "light";
  }

  private async processRequests() {
    if (this.processing) return;
    this.processing = true;
    let lastRequested = this.displayed?.step ?? this.latest.step;
    while (this.waiting && !this.closed) {
      const request = this.latest;
      this.waiting = false;
      try {
        const showable = this.scrubbing ? await this.nearestShowable(request.step) : request.step;
        if (showable === request.step) await this.fetchAndDisplay(request);
        else {
          // The requested step does not exist yet.
          this.waiting = true;
          if (showable === null) continue;
          await this.fetchAndDisplay({ step: showable, beats: "move" });
        }
        this.problem = null;
      } catch (error) {
        if (this.isClosed()) break;
        if (!(error instanceof ApiError || error instanceof FrameError)) throw error;
        await this.handleFailure(error);
        continue;
      }
      const { scrubbing } = this;
      if (!this.serverDown)
        this.past.prefetch.fetchSteps(
          likelySteps(request.step, request.step - lastRequested, scrubbing),
          this.method(),
          scrubbing,
        );
      lastRequested = request.step;
      // A scrub already waits for its picture; waiting here as well would cost two frames per position.
      if (!this.scrubbing) await this.frameClock.nextFrameShown();
    }
    this.processing = false;
  }

  /**
   * Pick the requested step if it is cached, else the nearest cached one on the way. Null: nothing nearer
   * yet; try again.
   */
  private async nearestShowable(step: number): Promise<number | null> {
    const { past, displayed } = this;
    if (!displayed || displayed.step === step) return step;
    const method = this.method();
    const near = await past.nearestCached(step, displayed.step, method);
    if (near !== null || this.closed) return near;
    const coming = past.busy || this.serverDown ? [] : [past.fetchStep(step, method)];
    await Promise.race([...coming, past.nextArrival(), this.wait(SCRUB_TIMEOUT)]);
    return null;
  }

  private async fetchAndDisplay({ step, beats }: StepRequest) {
    const method = this.method();
    const pastStep = await this.past.fetchStep(step, method);
    const { displayed } = this;
    if (displayed && displayed.step === step && displayed.attempt !== pastStep.attempt)
      this.superseded = displayed.attempt;
    else if (displayed?.step !== step) this.superseded = null;
    const follows = displayed !== null && displayed.step === step - 1;
    const light = pastStep.beat !== null && (beats === "light" || (beats === "told" && follows));
    const lightHeld =
      this.beatPhase === "light" &&
      displayed?.step === step &&
      displayed.attempt === pastStep.attempt;
    const before = light ? await this.past.fetchLayouts(step - 1, method) : null;
    if (this.closed) return;
    this.mapSteps = pastStep.mapSteps;
    if (lightHeld && !light) {
      this.move(pastStep.layouts);
      return;
    }
    this.display(pastStep, before ?? pastStep.layouts);
    this.beatPhase = light ? "light" : null;
    if (!light || beats === "light") return;
    await this.wait(LIGHT_DURATION);
    if (!this.isClosed() && !this.isLightWanted(step)) this.move(pastStep.layouts);
  }

  /** Show the second beat of the step whose first beat is shown. */
  private move(layouts: Layouts) {
    this.layouts = layouts;
    this.beatPhase = "move";
  }

  /** Return whether the first beat of a step should stay. A function, because it changes during an await. */
  private isLightWanted(step: number): boolean {
    return this.latest.step === step && this.latest.beats === "light";
  }

  private display(pastStep: PastStep, layouts: Layouts) {
    const { beat, touchCounts } = pastStep;
    this.displayed = pastStep;
    this.catchUpWithHand();
    this.layouts = layouts;
    this.districts = pastStep.districts;
    this.touchCounts = touchCounts;
    const decodedAt = performance.timeOrigin + performance.now();
    const { scrubbing } = this;
    // A scrubbed step does not fade: one frame shows it.
    const duration = scrubbing ? 0 : LIGHT_DURATION;
    this.beat = beat && { ...lightOfBeat(beat, duration, decodedAt), atOnce: scrubbing };
    this.counters = buildCounters(touchCounts);
    if (!scrubbing || this.handStill) this.settle();
  }

  private settle() {
    if (!this.displayed) return;
    this.settled = { step: this.displayed.step, beat: this.beat, counters: this.counters };
  }

  private get serverDown(): boolean {
    return this.scrubbing && performance.now() < this.serverDownUntil;
  }

  private async handleFailure(error: ApiError | FrameError) {
    this.problem = error instanceof ApiError ? error.failure : reasonGiven(error.message);
    const transient = error instanceof ApiError && (error.status === 0 || error.status >= 500);
    if (!transient) return;
    this.serverDownUntil = performance.now() + RETRY_DELAY;
    await this.wait(RETRY_DELAY);
    this.waiting = true;
  }

  /** Wait, unless another step is requested in the meantime. */
  private async wait(milliseconds: number) {
    if (this.waiting || this.closed) return;
    let skip = () => {};
    await new Promise<void>((done) => {
      const timer = setTimeout(done, milliseconds);
      this.skipWait = skip = () => {
        clearTimeout(timer);
        done();
      };
    });
    if (this.skipWait === skip) this.skipWait = null;
  }
}
