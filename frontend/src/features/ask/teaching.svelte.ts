/**
 * A copy of the model being taught, shown on the map: at each time of reading first the rows that are read light up, then
 * rings grow around those that moved, the farther the wider. Beats are as far apart as those of training (decision 0008).
 */

import type { AnswerTo, TaughtRows } from "../../api/rest-types";
import type { LiveRun } from "../../state/run/live-run.svelte";

/** Time of each beat, ms; not below `SHORTEST_INTERVAL` of the beats. */
export const TAUGHT_BEAT = 900;
/** Time in which the rings grow, and between two sizes of them, ms. */
const GROWING = 450;
const FRAME = 50;
/** Size of the smallest ring and of the widest one, as multiples of the usual. */
const SMALLEST = 1.1;
const WIDEST = 3.2;

/** Return the lamps of the rows of a step, by their gradients. */
export function taughtLight({ lit, gradient }: TaughtRows): {
  ids: Uint32Array;
  norms: Float32Array;
} {
  const ids = Uint32Array.from(lit).sort();
  const norm = new Map(gradient);
  return { ids, norms: Float32Array.from(ids, (id) => norm.get(id) ?? 0) };
}

/** Return the size of the ring of each row that moved, when they have grown by a share; `most`: the farthest of all steps. */
export function ringSizes({ moved }: TaughtRows, most: number, share: number): Map<number, number> {
  return new Map(
    moved.map(([id, distance]) => [
      id,
      SMALLEST + share * (WIDEST - SMALLEST) * (most > 0 ? distance / most : 0),
    ]),
  );
}

export class Teaching {
  /** The time of reading that is shown, from 1 on; 0: none. */
  number = $state(0);
  /** Set while its rows have moved, from the second beat of each time on. */
  moved = $state(false);
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Where in time the page was when it began; whoever moves from there wants to see that. */
  private requestedStep: number | null = null;

  constructor(
    private readonly run: LiveRun,
    private readonly atOnce: boolean = matchMedia("(prefers-reduced-motion: reduce)").matches,
  ) {}

  /** Show all times of reading, one after another; then ring what else changed. */
  start(step: number, { states }: AnswerTo<"what_if">, changed: readonly number[]) {
    this.stop();
    this.requestedStep = this.run.requestedStep;
    const times = states.flatMap(({ rows }) => rows ?? []);
    const most = Math.max(
      0,
      ...times.flatMap(({ moved }) => moved.map(([, distance]) => distance)),
    );
    this.light(step, times, most, 0, () => {
      this.stop();
      this.ring(changed);
    });
  }

  /** Draw rings around these words, and leave the light to the run. */
  ring(ids: readonly number[]) {
    if (!this.number) this.run.ringed = new Map(ids.map((id) => [id, SMALLEST]));
  }

  /** Stop when the page is moved in time. */
  follow() {
    if (this.number && this.run.requestedStep !== this.requestedStep) this.stop();
  }

  /** Give the map back. */
  stop() {
    clearTimeout(this.timer);
    if (this.number) this.run.spoken = null;
    this.number = 0;
    this.moved = false;
    this.run.ringed = new Map();
  }

  private light(step: number, times: TaughtRows[], most: number, at: number, done: () => void) {
    const rows = times[at];
    if (!rows) {
      done();
      return;
    }
    this.number = at + 1;
    this.moved = false;
    this.run.ringed = new Map();
    this.run.spoken = { said: true, step, ...taughtLight(rows), duration: 2 * TAUGHT_BEAT };
    this.timer = setTimeout(() => {
      this.moved = true;
      this.grow(rows, most, this.atOnce ? GROWING : 0, () =>
        this.light(step, times, most, at + 1, done),
      );
    }, TAUGHT_BEAT);
  }

  /** Let the rings grow, `grown` ms of it being over; then call `next`. */
  private grow(rows: TaughtRows, most: number, grown: number, next: () => void) {
    this.run.ringed = ringSizes(rows, most, grown / GROWING);
    this.timer =
      grown < GROWING
        ? setTimeout(() => this.grow(rows, most, grown + FRAME, next), FRAME)
        : setTimeout(next, TAUGHT_BEAT);
  }
}
