/**
 * Where in time a viewer of a run is: at what happens, at what is played from a step on, or standing at a step of the
 * past. What is shown follows from it.
 */

import type { Link } from "../wire/connection";
import type { Method } from "../wire/frames";
import type { Status } from "../wire/rest";
import type { Past } from "./past";
import type { Present } from "./present.svelte";
import { SPEED, type Replay } from "./replay";
import type { Shown } from "./shown.svelte";
import { Standing } from "./standing.svelte";

/** Where in time to begin: all null is live. */
export interface When {
  /** The step to play from, at `speed` steps a second. */
  from: number | null;
  speed: number | null;
  /** The step to stand at. */
  at: number | null;
}

export abstract class Travel {
  abstract status: Status | null;
  abstract link: Link;
  abstract problem: string | null;
  /** What is played; null: what is shown is what happens. */
  replay = $state.raw<Replay | null>(null);

  /** A replay shows the map as it was laid out anew, not as it was made live. */
  again = $state(false);

  /** Steps a second of what is played, now or next. */
  speed = $state(SPEED);
  /** Where in the past this viewer stands; null: they do not. */
  standing = $state.raw<Standing | null>(null);

  /** What comes in, shown unless this viewer stands elsewhere. */
  protected abstract readonly now: Present;
  protected past: Past | null = null;
  /** The step to stand at once the tokens are there. */
  protected wish = $state<number | null>(null);
  protected method: Method = "umap";

  /** `painted` resolves when another moment of the past is worth being shown. */
  constructor(private readonly painted?: () => Promise<void>) {}

  /** Ask for what is wanted now over a new socket. */
  protected abstract reconnect(): void;

  private get shown(): Shown {
    return this.standing ?? this.now;
  }

  /** The newest layout of each method by the moment that is shown. */
  get layouts() {
    return this.shown.layouts;
  }

  /** The clusters of the space; null where nobody has looked for any. */
  get districts() {
    return this.shown.districts;
  }

  get beat() {
    return this.shown.beat;
  }

  get counters() {
    return this.shown.counters;
  }

  /** The beat and the counters for what takes long to draw: while somebody drags, those of where the hand last rested. */
  get atRest(): Pick<Shown, "beat" | "counters"> {
    return this.standing?.atRest ?? this.now;
  }

  get ledger() {
    return this.shown.ledger;
  }

  /** Loss, norms and coverage by step, up to the present. */
  get series() {
    return this.now.series;
  }

  /** What came in, counted. */
  get tally() {
    return this.now.tally;
  }

  /** Which of the two beats of a single step is shown. */
  get telling() {
    return this.shown.telling;
  }

  /** This viewer's picture stands still. */
  get paused(): boolean {
    return this.standing !== null || this.wish !== null;
  }

  /** The step of the past that is shown; null when what is shown is the newest. Panels ask the server for it. */
  get at(): number | null {
    if (this.standing) return this.standing.at ?? this.standing.step;
    return this.wish ?? (this.replay ? (this.beat?.step ?? this.replay.from) : null);
  }

  /** Where in time this viewer is, for the address. */
  get when(): When {
    const { replay, standing, speed } = this;
    const at = standing?.step ?? this.wish;
    const from = replay?.from ?? null;
    return { from, speed: replay || (at !== null && speed !== SPEED) ? speed : null, at };
  }

  /** The newest step that is known of. */
  get newestStep(): number {
    return Math.max(this.status?.step ?? 0, this.now.counters?.step ?? 0);
  }

  /** One matrix as it is: there never was a step. */
  get still(): boolean {
    return this.status?.phase === "finished" && this.status.step === 0;
  }

  /** Freeze this picture; training does not notice. */
  pausePicture() {
    if (!this.paused) this.stand(this.beat?.step ?? this.counters?.step ?? 0);
  }

  /** Play on from where this picture stands; where a run has ended, from its start. */
  resumePicture() {
    if (!this.standing) return;
    const { step } = this.standing;
    const over = ["finished", "interrupted", "failed"].includes(this.status?.phase ?? "");
    this.play(over && step >= this.newestStep ? 0 : step);
  }

  /** Stand at a step of the past, at once. */
  stand(step: number) {
    if (this.still) return;
    this.begin(step)?.go(this.within(step));
  }

  /** Go on or back by so many steps; a single one forward is told in two beats. */
  stepBy(steps: number) {
    if (this.still) return;
    const from = this.standing?.step ?? this.beat?.step ?? this.newestStep;
    const to = this.within(from + steps);
    if (to !== this.standing?.step) this.begin(to)?.go(to, steps === 1);
  }

  /** Drag through time, until `dropped`. */
  drag(step: number) {
    if (!this.still) this.begin(step)?.drag(this.within(step));
  }

  /** Somebody comes near the handle of time, or went away again: soon it may be dragged. */
  near(there: boolean) {
    if (there) void this.past?.skim([this.method]).catch(() => undefined);
    else if (this.standing) this.past?.endSkim();
    else this.past?.rest();
  }

  rested() {
    this.standing?.rested();
  }

  dropped() {
    this.standing?.dropped();
  }

  private within(step: number): number {
    return Math.max(0, Math.min(step, this.newestStep));
  }

  /** Leave the present, or what is played, for the past; null where there are no tokens to show yet. */
  protected begin(step: number): Standing | null {
    const { past } = this;
    if (!past) return null;
    this.wish = null;
    if (!this.standing) {
      // While something is played nobody tells of new maps.
      if (this.replay) past.rest();
      this.standing = new Standing(past, this.now, step, () => this.method, this.painted);
      if (this.replay) {
        this.replay = null;
        this.leave();
      }
    }
    return this.standing;
  }

  /** Look at another view of the city. */
  lookAt(method: Method) {
    if (method === this.method) return;
    this.method = method;
    this.standing?.refresh();
  }

  /** Play the run from a step on. */
  play(from: number, speed = this.speed) {
    this.forget();
    this.speed = speed;
    this.replay = { from, speed, ended: false };
    this.now.told = from;
    this.leave();
  }

  /** Which layouts the past shows: as they were made, or laid out anew. Plays where nothing of it is on. */
  setAgain(again: boolean) {
    if (again === this.again) return;
    this.again = again;
    if (this.past) this.past.renew(again);
    if (this.standing) this.standing.refresh();
    else if (this.replay) this.leave();
    else if (again) this.play(0);
  }

  /** Play, now or next, so many steps a second. */
  setSpeed(speed: number) {
    this.speed = speed;
    if (!this.replay) return;
    this.replay = { ...this.replay, speed };
    this.reconnect();
  }

  /** To what is happening now. */
  goLive() {
    const { replay } = this;
    this.forget(false);
    this.problem = null;
    this.replay = null;
    if (replay) this.leave();
    else if (this.link.state !== "open") this.reconnect();
    else this.now.count();
  }

  /** Stand nowhere any more; what was shown stays until something else comes. */
  private forget(keep = true) {
    const { standing } = this;
    this.wish = null;
    this.standing = null;
    if (!standing) return;
    standing.close();
    if (keep) this.now.copy(standing);
  }

  /** To another time. */
  protected leave() {
    this.now.leave();
    this.reconnect();
  }
}
