/**
 * Control of time: the viewer is live, in a replay from some step, or at a past step. It decides
 * what is shown.
 */

import type { Failure } from "../../api/failure";
import type { Link } from "../../api/connection";
import type { Method } from "../../api/frames";
import type { Status } from "../../api/rest";
import type { Past } from "../past/past-store";
import type { Present } from "../live/newest-step.svelte";
import { SPEED, type Replay } from "./replay";
import type { Shown } from "../shown-step.svelte";
import { Standing } from "../past/time-cursor.svelte";

/** A position in time to start at; all null is live. */
export interface When {
  /** Step to play from, at `speed` steps a second. */
  from: number | null;
  speed: number | null;
  /** Past step to show. */
  at: number | null;
}

export abstract class Travel {
  abstract status: Status | null;
  abstract link: Link;
  abstract problem: Failure | null;
  /** The replay in progress; null: live, or at a past step. */
  replay = $state.raw<Replay | null>(null);

  /** Set to show the reprojected map of the past instead of the one made live. */
  again = $state(false);

  /** Playback speed of this replay or the next, in steps a second. */
  speed = $state(SPEED);
  /** The time cursor on a past step; null: none. */
  standing = $state.raw<Standing | null>(null);

  /** State that follows the socket, shown unless this viewer is at a past step. */
  protected abstract readonly now: Present;
  protected past: Past | null = null;
  /** Step to open the time cursor at once the tokens are loaded. */
  protected wish = $state<number | null>(null);
  protected method: Method = "umap";

  /** Start live. `whenPainted` resolves when it is worth showing another past step. */
  constructor(private readonly painted?: () => Promise<void>) {}

  /** Open a new socket for the current position in time. */
  protected abstract reconnect(): void;

  private get shown(): Shown {
    return this.standing ?? this.now;
  }

  /** Return the newest layout of each method at the step shown. */
  get layouts() {
    return this.shown.layouts;
  }

  /** Return the clusters of the space; null where none have been looked for. */
  get districts() {
    return this.shown.districts;
  }

  get beat() {
    return this.shown.beat;
  }

  get counters() {
    return this.shown.counters;
  }

  /**
   * Return the beat and the counters for whatever is slow to draw: during a scrub, those of the
   * step where the hand last rested.
   */
  get atRest(): Pick<Shown, "beat" | "counters"> {
    return this.standing?.atRest ?? this.now;
  }

  get ledger() {
    return this.shown.ledger;
  }

  /** Return loss, norms and coverage by step, up to now. */
  get series() {
    return this.now.series;
  }

  /** Return the counts of the frames received. */
  get tally() {
    return this.now.tally;
  }

  /** Return which of the two beats of a single step is shown. */
  get telling() {
    return this.shown.telling;
  }

  /** Return whether this viewer's picture is paused. */
  get paused(): boolean {
    return this.standing !== null || this.wish !== null;
  }

  /** Return the past step shown, for panels to request; null when the newest is shown. */
  get at(): number | null {
    if (this.standing) return this.standing.at ?? this.standing.step;
    return this.wish ?? (this.replay ? (this.beat?.step ?? this.replay.from) : null);
  }

  /** Return this viewer's position in time, for the URL. */
  get when(): When {
    const { replay, standing, speed } = this;
    const at = standing?.step ?? this.wish;
    const from = replay?.from ?? null;
    return { from, speed: replay || (at !== null && speed !== SPEED) ? speed : null, at };
  }

  /** Return the newest known step. */
  get newestStep(): number {
    return Math.max(this.status?.step ?? 0, this.now.counters?.step ?? 0);
  }

  /** Return whether the run is a single matrix, without any step. */
  get still(): boolean {
    return this.status?.phase === "finished" && this.status.step === 0;
  }

  /** Pause this picture; training is not affected. */
  pausePicture() {
    if (!this.paused) this.stand(this.beat?.step ?? this.counters?.step ?? 0);
  }

  /** Resume playing from the step shown; from the start, if it is the end of a run that is over. */
  resumePicture() {
    if (!this.standing) return;
    const { step } = this.standing;
    const over = ["finished", "interrupted", "failed"].includes(this.status?.phase ?? "");
    this.play(over && step >= this.newestStep ? 0 : step);
  }

  /** Seek to a past step, at once. */
  stand(step: number) {
    if (this.still) return;
    this.begin(step)?.go(this.within(step));
  }

  /** Step on or back by `steps`; a single step forward is shown in two beats. */
  stepBy(steps: number) {
    if (this.still) return;
    const from = this.standing?.step ?? this.beat?.step ?? this.newestStep;
    const to = this.within(from + steps);
    if (to !== this.standing?.step) this.begin(to)?.go(to, steps === 1);
  }

  /** Scrub to a step, until `endScrub`. */
  drag(step: number) {
    if (!this.still) this.begin(step)?.drag(this.within(step));
  }

  /**
   * Prefetch for a scrub while the pointer is near the timeline's handle (`there`); stop when it
   * leaves.
   */
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

  /**
   * Open the time cursor, leaving live or the replay; return null while there are no tokens to
   * show.
   */
  protected begin(step: number): Standing | null {
    const { past } = this;
    if (!past) return null;
    this.wish = null;
    if (!this.standing) {
      // During a replay new maps are not reported, so the index would go stale.
      if (this.replay) past.rest();
      this.standing = new Standing(past, this.now, step, () => this.method, this.painted);
      if (this.replay) {
        this.replay = null;
        this.leave();
      }
    }
    return this.standing;
  }

  /** Switch to another layout method. */
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

  /**
   * Show the reprojected layouts of the past, or those made live. Starts a replay if none of the
   * past is shown.
   */
  setAgain(again: boolean) {
    if (again === this.again) return;
    this.again = again;
    if (this.past) this.past.renew(again);
    if (this.standing) this.standing.refresh();
    else if (this.replay) this.leave();
    else if (again) this.play(0);
  }

  /** Set the speed of this replay or the next, in steps a second. */
  setSpeed(speed: number) {
    this.speed = speed;
    if (!this.replay) return;
    this.replay = { ...this.replay, speed };
    this.reconnect();
  }

  /** Return to live. */
  goLive() {
    const { replay } = this;
    this.forget(false);
    this.problem = null;
    this.replay = null;
    if (replay) this.leave();
    else if (this.link.state !== "open") this.reconnect();
    else this.now.count();
  }

  /** Close the time cursor; with `keep`, its picture stays until another arrives. */
  private forget(keep = true) {
    const { standing } = this;
    this.wish = null;
    this.standing = null;
    if (!standing) return;
    standing.close();
    if (keep) this.now.copy(standing);
  }

  /** Restart the stream at another time. */
  protected leave() {
    this.now.leave();
    this.reconnect();
  }
}
