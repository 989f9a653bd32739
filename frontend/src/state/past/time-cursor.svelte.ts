/**
 * The time cursor of a viewer at a past step, who steps on or back or scrubs through time.
 *
 * The last requested step wins, but a cached one is shown first: a fast scrub shows the steps on
 * the way. A single step forward is shown in two beats: first what the batch lit, with everything
 * where it was, and then the move.
 */

import type { Method } from "../../api/frames";
import { FrameError } from "../../api/binary-reader";
import { Refusal, said, type Failure } from "../../api/failure";
import type { Moment, Past } from "./past-store";
import { countersOf, LIGHT, Shown, type Layouts } from "../shown-step.svelte";
import { beatOfPulse } from "../../model/step-beat";
import { ahead } from "./step-ranges";

/** Wait before a scrub that got no picture looks again, in ms. */
const LATE = 500;
/**
 * Longest wait, in ms, for the scrubbed step's picture, so that the handle and the picture move in
 * one frame.
 */
const TOGETHER = 80;
/** Wait before an unresponsive server is asked again, in ms. */
const AGAIN = 1_500;

interface Wish {
  step: number;
  told: boolean;
}

export class Standing extends Shown {
  /**
   * The step requested; the step shown may still be another. During a scrub it waits for a picture.
   */
  step = $state(0);
  /** The step requested. While scrubbing it leads `step`, which waits for a picture. */
  wanted = 0;
  /**
   * The step shown; during a scrub the one where the hand last rested, or the one shown before the
   * scrub.
   */
  at = $state<number | null>(null);
  /** The beat and the counters of that step. */
  atRest = $state.raw<Pick<Shown, "beat" | "counters">>({ beat: null, counters: null });
  /** Why the requested step is not shown. */
  problem = $state.raw<Failure | null>(null);
  /** The attempt of the step shown before, if another attempt has replaced it. */
  superseded = $state<number | null>(null);
  /** Set during a scrub: every step appears at once, nothing glides. */
  dragged = $state(false);
  /** Steps that the map was made for: the last one so far, and the next. */
  drawn = $state.raw<{ at: number | null; next: number | null }>({ at: null, next: null });

  private wish: Wish | null = null;
  private following = false;
  private closed = false;
  private moment: Moment | null = null;
  private hurry: (() => void) | null = null;
  private lagging: ReturnType<typeof setTimeout> | undefined;
  /** Set while the scrubbing hand keeps still. */
  private resting = false;
  /**
   * Until then (as of `performance.now()`) a scrub shows only cached steps, because the server did
   * not answer.
   */
  private silent = 0;

  /**
   * Open the cursor at `step`; `from` is shown until its picture arrives. `method` returns the
   * layout method of the view.
   */
  constructor(
    private readonly past: Past,
    from: Shown | null,
    step: number,
    private readonly method: () => Method,
    /** Resolves when it is worth showing the next step; a faster one would not be seen. */
    private readonly painted?: () => Promise<void>,
  ) {
    super();
    if (from) this.copy(from);
    this.atRest = { beat: this.beat, counters: this.counters };
    this.at = this.beat?.step ?? null;
    this.go(step);
  }

  /** Seek to a step. `animate`: in two beats, if it follows the step shown. */
  go(step: number, told = false) {
    this.want(step, told);
    this.catchUp();
  }

  /** Scrub to a step; nothing glides until `endScrub`. */
  drag(step: number) {
    this.dragged = true;
    this.resting = false;
    if (step === this.wanted) return;
    this.want(step, false);
    this.lagging ??= setTimeout(() => this.catchUp(), TOGETHER);
  }

  /**
   * Report that the scrubbing hand keeps still: panels that ask the server or draw a chart then
   * follow.
   */
  rested() {
    this.resting = true;
    this.calmly();
  }

  dropped() {
    this.dragged = false;
    this.catchUp();
    this.calmly();
  }

  /** Show the same step again, because its record or its view has changed. */
  refresh() {
    this.go(this.wanted);
  }

  close() {
    this.closed = true;
    clearTimeout(this.lagging);
    this.hurry?.();
    this.past.rest();
  }

  private want(step: number, told: boolean) {
    this.wanted = step;
    this.wish = { step, told };
    this.hurry?.();
    void this.follow();
  }

  /** Return whether it is closed. A call, since an await between two checks may have closed it. */
  private gone(): boolean {
    return this.closed;
  }

  private catchUp() {
    clearTimeout(this.lagging);
    this.lagging = undefined;
    this.step = this.wanted;
  }

  private async follow() {
    if (this.following) return;
    this.following = true;
    let passed = this.moment?.step ?? this.wanted;
    while (this.wish && !this.closed) {
      const wish = this.wish;
      this.wish = null;
      try {
        const place = this.dragged ? await this.onTheWay(wish.step) : wish.step;
        if (place === wish.step) await this.reach(wish);
        else {
          // The requested step is still to come.
          this.wish ??= wish;
          if (place === null) continue;
          await this.reach({ step: place, told: false });
        }
        this.problem = null;
      } catch (error) {
        if (this.gone()) break;
        if (!(error instanceof Refusal || error instanceof FrameError)) throw error;
        await this.failed(wish, error);
        continue;
      }
      const { dragged } = this;
      if (!this.spared)
        this.past.ahead(ahead(wish.step, wish.step - passed, dragged), [this.method()], dragged);
      passed = wish.step;
      // A scrub already waits for its picture; waiting here too would cost two frames for each
      // position.
      if (!this.dragged) await this.painted?.();
    }
    this.following = false;
  }

  /**
   * Pick the requested step if it is cached, else the nearest cached one on the way. Null: nothing
   * nearer yet; try again.
   */
  private async onTheWay(step: number): Promise<number | null> {
    const { past, moment } = this;
    if (!moment || moment.step === step) return step;
    const methods = [this.method()];
    const near = await past.nearest(step, moment.step, methods);
    if (near !== null || this.closed) return near;
    const coming = past.busy || this.spared ? [] : [past.moment(step, methods)];
    await Promise.race([...coming, past.news(), this.pause(LATE)]);
    return null;
  }

  private async reach({ step, told }: Wish) {
    const methods = [this.method()];
    const moment = await this.past.moment(step, methods);
    const { moment: last } = this;
    if (last && last.step === step && last.attempt !== moment.attempt)
      this.superseded = last.attempt;
    else if (last?.step !== step) this.superseded = null;
    const next = told && last !== null && last.step === step - 1 && moment.pulse !== null;
    const drawn = await this.past.drawn(step, this.method());
    const before = next ? await this.past.layouts(step - 1, methods) : null;
    if (this.closed) return;
    this.drawn = drawn;
    this.show(moment, before ?? moment.layouts);
    this.telling = next ? "light" : null;
    if (!next) return;
    await this.pause(LIGHT);
    if (this.gone()) return;
    this.layouts = moment.layouts;
    this.telling = "move";
  }

  private show(moment: Moment, layouts: Layouts) {
    const { pulse, ledger } = moment;
    this.moment = moment;
    this.catchUp();
    this.layouts = layouts;
    this.districts = moment.districts;
    this.ledger = ledger;
    const decodedAt = performance.timeOrigin + performance.now();
    const { dragged } = this;
    // A scrubbed step does not fade in or out: one frame shows it.
    const lasting = dragged ? 0 : LIGHT;
    this.beat = pulse && { ...beatOfPulse(pulse, lasting, decodedAt), atOnce: dragged };
    this.counters = countersOf(ledger, pulse?.loss ?? NaN);
    if (!dragged || this.resting) this.calmly();
  }

  private calmly() {
    if (!this.moment) return;
    this.at = this.moment.step;
    this.atRest = { beat: this.beat, counters: this.counters };
  }

  private get spared(): boolean {
    return this.dragged && performance.now() < this.silent;
  }

  private async failed(wish: Wish, error: Refusal | FrameError) {
    this.problem = error instanceof Refusal ? error.failure : said(error.message);
    const passes = error instanceof Refusal && (error.status === 0 || error.status >= 500);
    if (!passes) return;
    this.silent = performance.now() + AGAIN;
    await this.pause(AGAIN);
    this.wish ??= wish;
  }

  /** Wait, unless another step is requested meanwhile. */
  private async pause(milliseconds: number) {
    if (this.wish || this.closed) return;
    let hurry = () => {};
    await new Promise<void>((done) => {
      const timer = setTimeout(done, milliseconds);
      this.hurry = hurry = () => {
        clearTimeout(timer);
        done();
      };
    });
    if (this.hurry === hurry) this.hurry = null;
  }
}
