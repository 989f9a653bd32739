/**
 * One run as this viewer sees it: its status, its city, the beat that is on, and what has been counted; as it
 * happens, played from a step on, or standing at a step of the past.
 *
 * Frames arrive as they come; what the page shows changes by beats, and counters a few times a second. Who stands
 * in the past stays connected to the present meanwhile: nothing is lost, and the way back is short.
 */

import { Connection, type Link } from "../wire/connection";
import type { Districts, Frame, Layout, Method, Pulse } from "../wire/frames";
import {
  ask,
  Refusal,
  runPath,
  type Ask,
  type Measures,
  type Run,
  type Status,
  type StepDetail,
  type StepRecord,
} from "../wire/rest";
import { fetchVocabulary, type Vocabulary } from "../wire/vocabulary";
import { BeatScheduler } from "./beats";
import { History, type Series } from "./history";
import { Landmarks } from "./landmarks.svelte";
import { Ledger } from "./ledger";
import { joined } from "./measures";
import { Past } from "./past";
import { socketPath, SPEED, type Replay } from "./replay";
import { Requests } from "./requests.svelte";
import { countersOf, Shown } from "./shown.svelte";
import { LIGHT, Standing } from "./standing.svelte";
import { beatOfPulse, beatOfRecord } from "./stepbeat";
import { Tally } from "./tally";

const TICK = 60;
/** Ticks between two updates of the counters, and of the charts. */
const COUNT_EVERY = 4;
const CHART_EVERY = 16;
/** How long a training run may be silent before the connection is doubted, in ms. */
const SILENCE = 30_000;
/** How long only merged pulses may come before the newest step is fetched instead, in ms. */
const MERGED_ONLY = 2_500;
/** So many pulses wait for the tokens; beyond them a new beginning is asked for. */
const MOST_WAITING = 2_000;
/** The record is read again so late, in ms, where it did not reach as far as what came. */
const READ_AGAIN = 1_000;

export type { Counters } from "./shown.svelte";

/** Where in time to begin: all null is live. */
export interface When {
  /** The step to play from, at `speed` steps a second. */
  from: number | null;
  speed: number | null;
  /** The step to stand at. */
  at: number | null;
}

export class LiveRun {
  info = $state.raw<Run | null>(null);
  status = $state.raw<Status | null>(null);
  link = $state.raw<Link>({ state: "connecting" });
  vocabulary = $state.raw<Vocabulary | null>(null);
  series = $state.raw<Series | null>(null);
  measures = $state.raw<Measures[]>([]);
  problem = $state<string | null>(null);
  /** What is played; null: what is shown is what happens. */
  replay = $state.raw<Replay | null>(null);

  /** A replay shows the map as it was laid out anew, not as it was made live. */
  again = $state(false);

  /** Steps a second of what is played, now or next. */
  speed = $state(SPEED);
  /** Where in the past this viewer stands; null: they do not. */
  standing = $state.raw<Standing | null>(null);

  /** What comes in, shown unless this viewer stands elsewhere. */
  private readonly now = new Shown();
  private readonly scheduler = new BeatScheduler(700);
  private readonly history = new History();
  private readonly abort = new AbortController();
  readonly landmarks: Landmarks;
  /** What came in, counted. */
  readonly tally = new Tally();
  private readonly connection: Connection;
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly requests: Requests;
  private past: Past | null = null;
  /** The step to stand at once the tokens are there. */
  private wish = $state<number | null>(null);
  private method: Method = "umap";
  private waitingFrames: Frame[] = [];
  /** More came before the tokens than could wait. */
  private overflowed = false;
  private newest: Pulse | null = null;
  private chartStale = true;
  private ticks = 0;
  private mergedSince: number | null = null;
  private opened = 0;
  private caughtUp = false;
  private catchingUp = 0;
  private fetchingRecord = false;
  /** The last step that was played. */
  private playedTo = 0;
  /** The newest attempt that was heard of. */
  private attempt = 0;
  /** When the step that is told in two beats moves. */
  private moveAt = 0;
  /** What is played is of another time than the maps that are there: the first of its own replaces them. */
  private elsewhere = false;

  constructor(
    readonly id: string,
    { from, speed, at }: When,
  ) {
    this.landmarks = new Landmarks(id, this.abort.signal);
    this.requests = new Requests(id);
    if (speed !== null) this.speed = speed;
    if (at !== null) this.wish = at;
    else if (from !== null) {
      this.replay = { from, speed: this.speed, ended: false };
      this.playedTo = from;
    }
    this.connection = new Connection(() => this.address(), {
      frame: (frame) => this.take(frame),
      message: (message) => this.hear(message),
      link: (link) => this.linked(link),
    });
    this.timer = setInterval(() => this.tick(), TICK);
    document.addEventListener("visibilitychange", this.seen);
    void this.catchUp();
  }

  /** Least milliseconds between two beats. */
  setBeatInterval(milliseconds: number) {
    this.scheduler.interval = milliseconds;
  }

  get beatInterval(): number {
    return this.scheduler.interval;
  }

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

  get ledger() {
    return this.shown.ledger;
  }

  /** Which of the two beats of a single step is shown. */
  get telling() {
    return this.shown.telling;
  }

  /** This viewer's picture stands still. */
  get paused(): boolean {
    return this.standing !== null || this.wish !== null;
  }

  /** What the presenter asked for and the trainer has not yet acknowledged. */
  get asked(): ReadonlySet<string> {
    return this.requests.asked;
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

  /** Somebody should be training it, and nobody is. */
  get stalled(): boolean {
    const { phase, alive = true } = this.status ?? {};
    return !alive && (phase === "preparing" || phase === "running" || phase === "paused");
  }

  /** Its steps come from somebody's own training loop, which takes no requests. */
  get recorded(): boolean {
    return this.info?.recipe?.corpus.kind === "recorded";
  }

  /** No step is coming by itself: the last beat may stay lit. */
  get resting(): boolean {
    if (this.status === null) return false;
    if (this.replay) return this.replay.ended || this.link.state !== "open";
    return this.link.state !== "open" || this.status.phase !== "running" || !this.status.alive;
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

  dropped() {
    this.standing?.dropped();
  }

  private within(step: number): number {
    return Math.max(0, Math.min(step, this.newestStep));
  }

  /** Leave the present, or what is played, for the past; null where there are no tokens to show yet. */
  private begin(step: number): Standing | null {
    const { past } = this;
    if (!past) return null;
    this.wish = null;
    if (!this.standing) {
      this.standing = new Standing(past, this.now, step, () => this.method);
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
    this.playedTo = from;
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
    this.connection.retry();
  }

  /** To what is happening now. */
  goLive() {
    const { replay } = this;
    this.forget(false);
    this.problem = null;
    this.replay = null;
    if (replay) this.leave();
    else if (this.link.state !== "open") this.connection.retry();
    else this.count();
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

  /** To another time: nothing that was counted or waits belongs to it. */
  private leave() {
    this.elsewhere = true;
    this.tally.leave();
    this.newest = null;
    this.mergedSince = null;
    this.now.districts = null;
    this.now.telling = null;
    this.scheduler.clear();
    if (this.now.ledger) this.now.ledger = new Ledger(this.now.ledger.vocabulary);
    this.connection.retry();
  }

  private address(): string {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    // A replay begins when the tokens are there: what came before would be lost.
    const held = !this.now.ledger;
    return `${scheme}//${location.host}${runPath(this.id, socketPath(this.replay, this.playedTo, held, this.again))}`;
  }

  retry() {
    this.connection.retry();
  }

  /** Ask the trainer for something; throws `Refusal`. */
  ask(what: Ask): Promise<void> {
    return this.requests.ask(what);
  }

  close() {
    this.standing?.close();
    this.abort.abort();
    clearInterval(this.timer);
    document.removeEventListener("visibilitychange", this.seen);
    this.connection.close();
  }

  private linked(link: Link) {
    this.link = link;
    if (link.state === "refused") this.problem = link.reason || String(link.code);
    if (link.state !== "open") return;
    this.opened += 1;
    this.problem = null;
    if ((this.opened > 1 && !this.replay) || !this.caughtUp) void this.catchUp();
    if (this.standing?.problem) this.standing.refresh();
  }

  private readonly seen = () => {
    const silent = performance.now() - this.connection.heard;
    if (!document.hidden && this.status?.phase === "running" && silent > 5_000) this.retry();
  };

  /** Everything that the socket does not repeat: the run, its tokens, its past. */
  private async catchUp() {
    const { signal } = this.abort;
    this.catchingUp += 1;
    try {
      const info = await ask<Run>(runPath(this.id), { signal });
      this.learn(info);
      const [past, measured] = await Promise.all([
        ask<{ items: StepRecord[] }>(runPath(this.id, "steps?from=1&most=2000"), { signal }),
        ask<{ items: Measures[] }>(runPath(this.id, "measures"), { signal }),
      ]);
      this.history.begin(
        past.items.map(({ attempt, step, loss, layer_norms: norms, ever_rows: ever }) => ({
          attempt,
          step,
          loss,
          norms,
          ever: ever ?? null,
        })),
      );
      this.tally.fetched(past.items.at(-1)?.step ?? 0);
      this.measures = joined([], measured.items);
      this.chartStale = true;
      this.caughtUp = true;
      // Of what was missed no pulse comes again: the newest step is lit from the record.
      await this.showRecord();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      if (error.status >= 400 && error.status < 500) this.problem = error.message;
    } finally {
      this.catchingUp -= 1;
      // It was read before the steps that the census told were there, or could not be read.
      if (this.tally.wanting) setTimeout(() => this.fillGaps(), READ_AGAIN);
    }
  }

  /** What fell between two connections comes from the record. */
  private fillGaps() {
    if (!this.tally.wanting || this.catchingUp || this.abort.signal.aborted) return;
    if (this.link.state === "open") void this.catchUp();
  }

  /** The layers are known from the first step on, not when the run was first looked at. */
  private async fetchInfo() {
    try {
      this.learn(await ask<Run>(runPath(this.id), { signal: this.abort.signal }));
    } catch (error) {
      if (!this.abort.signal.aborted && !(error instanceof Refusal)) throw error;
    }
  }

  private learn(info: Run) {
    this.info = info;
    this.status = info.status;
    this.taken(info.status?.attempt ?? 0);
    if (info.vocabulary && !this.vocabulary) void this.fetchTokens(info);
  }

  private fetching = false;

  private async fetchTokens(info: Run) {
    if (this.fetching) return;
    this.fetching = true;
    try {
      const classes = (info.classes ?? []).map(({ name }) => name);
      const vocabulary = await fetchVocabulary(this.id, classes, this.abort.signal);
      this.now.ledger = new Ledger(vocabulary.tokens.length);
      this.vocabulary = vocabulary;
      this.past = new Past(
        this.id,
        vocabulary.tokens.length,
        () => ({ attempt: this.attempt, step: this.newestStep }),
        this.abort.signal,
      );
      this.past.renew(this.again);
      for (const frame of this.waitingFrames.splice(0)) this.take(frame);
      // A link may name a step that there is not: the server says so.
      if (this.wish !== null) this.begin(this.wish);
      if (this.replay) this.leave();
      else if (this.overflowed) this.connection.retry();
    } catch (error) {
      if (this.abort.signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      setTimeout(() => void this.fetchTokens(info), 1_500);
    } finally {
      this.fetching = false;
    }
  }

  private hear(message: { type: string } & Record<string, unknown>) {
    switch (message.type) {
      case "hello":
        this.learn({ ...this.info, ...(message["run"] as Run) });
        break;
      case "status":
        this.restated(message["status"] as Status);
        break;
      case "measures": {
        const { step, values } = message as unknown as Measures;
        this.measures = joined(this.measures, [{ step, values }]);
        break;
      }
      case "live":
        this.replay = null;
        break;
      case "end":
        if (this.replay) this.replay = { ...this.replay, ended: true };
        break;
      case "acknowledged": {
        this.requests.acknowledge(String(message["request"]));
        break;
      }
    }
  }

  private restated(status: Status) {
    const before = this.status?.phase;
    this.status = status;
    this.taken(status.attempt);
    const begun = before === "waiting" || before === "preparing";
    // The vocabulary and the layers are known once the corpus is read.
    if (!this.vocabulary && (begun || status.phase === "running")) void this.catchUp();
  }

  private take(frame: Frame) {
    const { ledger } = this.now;
    if (!ledger) {
      this.wait(frame);
      return;
    }
    this.tally.take(frame);
    if (frame.kind === "census") {
      ledger.begin(frame);
      this.playedTo = frame.step;
      // Of the steps before it some may have been missed: the last pulse is not the newest step any more.
      if (this.newest?.step !== frame.step) this.newest = null;
      this.fillGaps();
    }
    if (frame.kind === "layout") this.takeLayout(frame);
    else if (frame.kind === "districts") this.takeDistricts(frame);
    else if (frame.kind === "pulse") this.takePulse(frame, ledger);
  }

  /**
   * The tokens are on their way. Every pulse after the newest census counts; of everything else the newest is
   * enough meanwhile.
   */
  private wait(frame: Frame) {
    if (frame.kind === "pulse") {
      this.overflowed ||= this.waitingFrames.length >= MOST_WAITING;
      if (!this.overflowed) this.waitingFrames.push(frame);
      return;
    }
    const replaced = (other: Frame) =>
      (other.kind === "pulse" && frame.kind === "census") ||
      (other.kind === frame.kind &&
        (frame.kind !== "layout" || (other as Layout).method === frame.method));
    if (frame.kind === "census") this.overflowed = false;
    this.waitingFrames = [...this.waitingFrames.filter((other) => !replaced(other)), frame];
  }

  private takeLayout(layout: Layout) {
    if (this.standing) this.past?.note(layout);
    if (this.elsewhere) this.now.layouts = {};
    this.elsewhere = false;
    const { beat } = this.now;
    // Where training goes step by step, the light is seen before anything moves.
    const early =
      this.now.telling && beat && layout.step >= beat.step ? this.moveAt - performance.now() : 0;
    if (early > 0) setTimeout(() => this.place(layout), early);
    else this.place(layout);
  }

  private place(layout: Layout) {
    const { layouts, telling, beat } = this.now;
    const there = layouts[layout.method];
    // A newer one may have come while this one waited.
    if (there && there.attempt === layout.attempt && there.step > layout.step && !this.replay)
      return;
    this.now.layouts = { ...layouts, [layout.method]: layout };
    if (telling && layout.method === this.method && layout.step >= (beat?.step ?? 0)) {
      this.now.telling = "move";
    }
  }

  private takeDistricts(found: Districts) {
    void this.landmarks.refresh(found.attempt);
    if (this.standing) this.past?.note(found);
    this.now.districts = found;
  }

  private takePulse(pulse: Pulse, ledger: Ledger) {
    // Played to its end, the run went on.
    if (this.replay?.ended) this.replay = null;
    this.playedTo = pulse.step;
    if (this.newest && pulse.attempt !== this.newest.attempt) this.scheduler.clear();
    this.newest = pulse;
    ledger.add(pulse);
    this.taken(pulse.attempt);
    const { attempt, step, loss } = pulse;
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

  /** Frames of a newer attempt than was known: it took steps, perhaps the one that is stood at. */
  private taken(attempt: number) {
    if (attempt <= this.attempt) return;
    const known = this.attempt > 0;
    this.attempt = attempt;
    // What an older one did last may not count any more.
    if (this.newest && this.newest.attempt < attempt) this.newest = null;
    if (!known) return;
    this.past?.renew(this.again);
    this.standing?.refresh();
  }

  private show(pulse: Pulse) {
    const decodedAt = performance.timeOrigin + performance.now();
    this.now.beat = beatOfPulse(pulse, this.lasting(), decodedAt);
    this.now.telling = this.stepwise ? "light" : null;
    this.moveAt = performance.now() + LIGHT;
  }

  /** The run trains one step at a time. */
  private get stepwise(): boolean {
    const { status, replay } = this;
    return !replay && (status?.pace === "single" || status?.phase === "paused");
  }

  /** A beat is gone before the next; slow runs let it linger a little. */
  private lasting(): number {
    const pace = this.replay?.speed ?? this.status?.pace_steps_per_second;
    const spacing = pace ? 1_000 / pace : 0;
    return Math.max(this.scheduler.interval, Math.min(1_400, spacing)) * 0.97;
  }

  /** Show the newest step from the record: no pulse of it came, or none that was not merged. */
  private async showRecord() {
    const step = Math.max(this.status?.step ?? 0, this.newest?.step ?? 0);
    if (step < 1 || this.replay || this.fetchingRecord) return;
    const { beat } = this.now;
    if (beat?.step === step && beat.attempt === this.attempt) return;
    this.fetchingRecord = true;
    try {
      const detail = await this.detail(step, this.abort.signal);
      const lit = this.now.beat;
      const newer = !lit || detail.attempt > lit.attempt || step > lit.step;
      if (!this.replay && newer) {
        this.now.beat = beatOfRecord(detail, this.lasting());
      }
    } catch (error) {
      if (!this.abort.signal.aborted && !(error instanceof Refusal)) throw error;
    } finally {
      this.fetchingRecord = false;
    }
  }

  /** What one step read and did, with its text. */
  detail(step: number, signal: AbortSignal): Promise<StepDetail> {
    return ask<StepDetail>(runPath(this.id, `steps/${step}`), { signal });
  }

  private tick() {
    const now = performance.now();
    this.ticks += 1;
    const beat = this.scheduler.tick(now);
    if (beat) this.show(beat);
    if (this.mergedSince !== null && now - this.mergedSince > MERGED_ONLY) {
      this.mergedSince = now;
      void this.showRecord();
    }
    if (this.ticks % COUNT_EVERY === 0) this.count();
    if (this.ticks % CHART_EVERY === 0 && this.chartStale) {
      this.chartStale = false;
      this.series = this.history.series();
      if (!this.info?.layers?.length) void this.fetchInfo();
    }
    const silent = this.link.state === "open" && now - this.connection.heard > SILENCE;
    if (silent && !this.replay && this.status?.phase === "running" && this.status.alive)
      this.retry();
  }

  private count() {
    const { newest } = this;
    const { ledger, counters } = this.now;
    if (!ledger) return;
    if (counters?.step === (newest?.step ?? ledger.step)) return;
    this.now.counters = countersOf(ledger, newest?.loss ?? NaN);
  }
}
