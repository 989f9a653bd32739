/**
 * A copy of the model being taught, shown on the map. At each reading the rows read light up, then rings grow
 * around the rows that moved, wider for longer moves. Beats are as far apart as in training (decision 0008).
 */

import type { AnswerTo, TaughtRows } from "../../api/rest-types";
import type { LiveRun } from "../../state/run/live-run.svelte";

/** Time of each beat, in ms; at least the beats' `SHORTEST_INTERVAL`. */
export const TAUGHT_BEAT = 900;
/** Time in which the rings grow, and the time between two sizes, in ms. */
const GROWING = 450;
const FRAME = 50;
/** Size of the smallest and of the widest ring, as multiples of the usual size. */
const SMALLEST = 1.1;
const WIDEST = 3.2;
/** Size of the ring around a word with a note, which a room must see. */
const NOTED = 1.8;

/** Return the lamps of a step's rows, lit by their gradient norms. */
export function taughtLight({ lit, gradient }: TaughtRows): {
  ids: Uint32Array;
  norms: Float32Array;
} {
  const ids = Uint32Array.from(lit).sort();
  const norm = new Map(gradient);
  return { ids, norms: Float32Array.from(ids, (id) => norm.get(id) ?? 0) };
}

/** Return the ring size of each moved row at `share` of the growth; `most`: the longest move of all steps. */
export function ringSizes({ moved }: TaughtRows, most: number, share: number): Map<number, number> {
  return new Map(
    moved.map(([id, distance]) => [
      id,
      SMALLEST + share * (WIDEST - SMALLEST) * (most > 0 ? distance / most : 0),
    ]),
  );
}

export class Teaching {
  /** The displayed reading, from 1; 0: none. */
  number = $state(0);
  /** True while its rows are displayed as moved: from the second beat of each reading. */
  moved = $state(false);
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** The rings around the other words that changed, which stay through all readings. */
  private noted: ReadonlyMap<number, number> = new Map();
  /** The step requested when the teaching began; a viewer who moves in time takes the map back. */
  private requestedStep: number | null = null;

  constructor(
    private readonly run: LiveRun,
    private readonly atOnce: boolean = matchMedia("(prefers-reduced-motion: reduce)").matches,
  ) {}

  /** Show all readings in order, then ring the other words that changed; `changed`: a note for each. */
  start(step: number, { states }: AnswerTo<"what_if">, changed: ReadonlyMap<number, string>) {
    this.stop();
    this.requestedStep = this.run.requestedStep;
    this.noted = new Map([...changed.keys()].map((id) => [id, NOTED]));
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

  /** Ring these words, each with its note, without changing the lights. */
  ring(notes: ReadonlyMap<number, string>) {
    if (this.number) return;
    this.run.ringed = new Map([...notes.keys()].map((id) => [id, NOTED]));
    this.run.ringNotes = notes;
  }

  /** Stop when the viewer moves in time. */
  follow() {
    if (this.number && this.run.requestedStep !== this.requestedStep) this.stop();
  }

  /** Return the map to the run. */
  stop() {
    clearTimeout(this.timer);
    if (this.number) this.run.spoken = null;
    this.number = 0;
    this.moved = false;
    this.run.ringed = new Map();
    this.run.ringNotes = new Map();
  }

  private light(step: number, times: TaughtRows[], most: number, at: number, done: () => void) {
    const rows = times[at];
    if (!rows) {
      done();
      return;
    }
    this.number = at + 1;
    this.moved = false;
    this.run.ringed = this.noted;
    this.run.spoken = { said: true, step, ...taughtLight(rows), duration: 2 * TAUGHT_BEAT };
    this.timer = setTimeout(() => {
      this.moved = true;
      this.grow(rows, most, this.atOnce ? GROWING : 0, () =>
        this.light(step, times, most, at + 1, done),
      );
    }, TAUGHT_BEAT);
  }

  /** Grow the rings from `grown` ms into their growth; then call `next`. */
  private grow(rows: TaughtRows, most: number, grown: number, next: () => void) {
    this.run.ringed = new Map([...this.noted, ...ringSizes(rows, most, grown / GROWING)]);
    this.timer =
      grown < GROWING
        ? setTimeout(() => this.grow(rows, most, grown + FRAME, next), FRAME)
        : setTimeout(next, TAUGHT_BEAT);
  }
}
