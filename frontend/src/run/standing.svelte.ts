/**
 * A viewer who stands at a step of the past, goes a step on or back, or drags through time.
 *
 * The step that is wanted last wins, but what has come is shown first: who drags fast sees what is on the way. One
 * step forward is told in two beats: first what the batch lit, with everything where it was, and then the move.
 */

import { FrameError, type Method } from "../wire/frames";
import { Refusal } from "../wire/rest";
import type { Moment, Past } from "./past";
import { countersOf, Shown, type Layouts } from "./shown.svelte";
import { beatOfPulse } from "./stepbeat";
import { ahead } from "./stretch";

/** How long the light is shown before the move, in ms. */
export const LIGHT = 1_300;
/** How long until somebody who drags, and for whom nothing came, is looked after again, in ms. */
const LATE = 500;
/** The hand is followed with what it dragged to, in one frame; it waits no longer for that, in ms. */
const TOGETHER = 80;
/** How long until a server that did not answer is asked again, in ms. */
const AGAIN = 1_500;

interface Wish {
  step: number;
  told: boolean;
}

export class Standing extends Shown {
  /** The step that is wanted; the one that is shown may still be another. */
  step = $state(0);
  /** The same; while somebody drags it may be ahead of `step`, which moves when there is something to be seen. */
  wanted = 0;
  /** The step that is shown; while somebody drags the one where the hand last rested, or that was shown before. */
  at = $state<number | null>(null);
  /** What was shown of it. */
  atRest = $state.raw<Pick<Shown, "beat" | "counters">>({ beat: null, counters: null });
  /** Why the step that is wanted is not shown. */
  problem = $state<string | null>(null);
  /** The attempt that held the step which was shown, where another has taken its place. */
  superseded = $state<number | null>(null);
  /** Somebody drags: each moment is there at once, nothing glides. */
  dragged = $state(false);
  /** The steps for which the map was made: the last by now, and the next. */
  drawn = $state.raw<{ at: number | null; next: number | null }>({ at: null, next: null });

  private wish: Wish | null = null;
  private following = false;
  private closed = false;
  private moment: Moment | null = null;
  private hurry: (() => void) | null = null;
  private lagging: ReturnType<typeof setTimeout> | undefined;
  /** The hand that drags keeps still. */
  private resting = false;
  /** The server did not answer: until then (as of `performance.now()`) who drags is shown only what is there. */
  private silent = 0;

  /** Stand at `step`; until it is there, `from` is shown. `method` says which view is looked at. */
  constructor(
    private readonly past: Past,
    from: Shown | null,
    step: number,
    private readonly method: () => Method,
    /** Resolves when the next moment is worth being shown: of faster ones the viewer would see nothing. */
    private readonly painted?: () => Promise<void>,
  ) {
    super();
    if (from) this.copy(from);
    this.atRest = { beat: this.beat, counters: this.counters };
    this.at = this.beat?.step ?? null;
    this.go(step);
  }

  /** Go to a step. `told`: in two beats, where it is the one after the step that is shown. */
  go(step: number, told = false) {
    this.want(step, told);
    this.catchUp();
  }

  /** Drag to a step: nothing glides until `dropped`. */
  drag(step: number) {
    this.dragged = true;
    this.resting = false;
    if (step === this.wanted) return;
    this.want(step, false);
    this.lagging ??= setTimeout(() => this.catchUp(), TOGETHER);
  }

  /** The hand that drags keeps still: panels that ask the server, or draw a chart, are told of the step. */
  rested() {
    this.resting = true;
    this.calmly();
  }

  dropped() {
    this.dragged = false;
    this.catchUp();
    this.calmly();
  }

  /** Show the same step anew: what is recorded of it, or how it is looked at, has changed. */
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
          // What was dragged to is still to come.
          this.wish ??= wish;
          if (place === null) continue;
          await this.reach({ step: place, told: false });
        }
        this.problem = null;
      } catch (error) {
        if (this.closed) break;
        if (!(error instanceof Refusal || error instanceof FrameError)) throw error;
        await this.failed(wish, error);
        continue;
      }
      const { dragged } = this;
      if (!this.spared)
        this.past.ahead(ahead(wish.step, wish.step - passed, dragged), [this.method()], dragged);
      passed = wish.step;
      // The hand that drags waits for its picture itself: here too it would be two frames for each position.
      if (!this.dragged) await this.painted?.();
    }
    this.following = false;
  }

  /**
   * Who drags is shown what is there: the step that is wanted, or the nearest to it on the way. null: nothing nearer
   * was there, but by now there may be, or something else is wanted.
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
    if (this.closed) return;
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
    // What is dragged through neither comes nor goes: one frame shows it.
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
    this.problem = error.message;
    const passes = error instanceof Refusal && (error.status === 0 || error.status >= 500);
    if (!passes) return;
    this.silent = performance.now() + AGAIN;
    await this.pause(AGAIN);
    this.wish ??= wish;
  }

  /** Wait, unless something else is wanted meanwhile. */
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
