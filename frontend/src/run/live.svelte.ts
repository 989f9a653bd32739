/**
 * One run as this viewer sees it: its status, its city, the beat that is on, and what has been counted; as it
 * happens, or played from a step on.
 *
 * Frames arrive as they come; what the page shows changes by beats, and counters a few times a second.
 */

import { Connection, type Link } from "../wire/connection";
import type { Districts, Frame, Layout, Method, Pulse } from "../wire/frames";
import {
  ask,
  Refusal,
  runPath,
  send,
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
import { socketPath, SPEED, type Replay } from "./replay";
import { beatOfPulse, beatOfRecord, type StepBeat } from "./stepbeat";

const TICK = 60;
/** Ticks between two updates of the counters, and of the charts. */
const COUNT_EVERY = 4;
const CHART_EVERY = 16;
/** How long a training run may be silent before the connection is doubted, in ms. */
const SILENCE = 30_000;
/** How long only merged pulses may come before the newest step is fetched instead, in ms. */
const MERGED_ONLY = 2_500;

export interface Counters {
  step: number;
  loss: number;
  recently: { rows: number; steps: number; about: boolean };
  ever: number;
}

export class LiveRun {
  info = $state.raw<Run | null>(null);
  status = $state.raw<Status | null>(null);
  link = $state.raw<Link>({ state: "connecting" });
  vocabulary = $state.raw<Vocabulary | null>(null);
  /** The newest layout of each method; frozen while the viewer's picture is paused. */
  layouts = $state.raw<Partial<Record<Method, Layout>>>({});
  /** The newest clusters of the space; null where nobody has looked for any. */
  districts = $state.raw<Districts | null>(null);
  beat = $state.raw<StepBeat | null>(null);
  counters = $state.raw<Counters | null>(null);
  series = $state.raw<Series | null>(null);
  measures = $state.raw<Measures[]>([]);
  /** The viewer's own pause. */
  paused = $state(false);
  /** What the presenter asked for and the trainer has not yet acknowledged. */
  asked = $state.raw<ReadonlySet<string>>(new Set());
  problem = $state<string | null>(null);
  /** What is played; null: what is shown is what happens. */
  replay = $state.raw<Replay | null>(null);

  /** A replay shows the map as it was laid out anew, not as it was made live. */
  again = $state(false);

  ledger: Ledger | null = null;

  private readonly scheduler = new BeatScheduler(700);
  private readonly history = new History();
  private readonly abort = new AbortController();
  readonly landmarks: Landmarks;
  private readonly connection: Connection;
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly acknowledged = new Set<string>();
  private waitingLayouts: Partial<Record<Method, Layout>> = {};
  private waitingDistricts: Districts | null = null;
  private waitingFrames: Frame[] = [];
  private newest: Pulse | null = null;
  private chartStale = true;
  private ticks = 0;
  private mergedSince: number | null = null;
  private opened = 0;
  private caughtUp = false;
  private fetchingRecord = false;
  /** The last step that was played. */
  private playedTo = 0;
  /** What is played is of another time than the maps that are there: the first of its own replaces them. */
  private elsewhere = false;

  /** `from`: the step to play from, at `speed` steps a second; null: live. */
  constructor(
    readonly id: string,
    from: number | null,
    speed: number | null,
  ) {
    this.landmarks = new Landmarks(id, this.abort.signal);
    if (from !== null) {
      this.replay = { from, speed: speed ?? SPEED, ended: false };
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

  /** The step of the past that is shown; null when what is shown is the newest. Panels ask the server for it. */
  get at(): number | null {
    if (this.replay) return this.beat?.step ?? this.replay.from;
    return this.paused ? (this.beat?.step ?? this.counters?.step ?? 0) : null;
  }

  /** One matrix as it is: there never was a step. */
  get still(): boolean {
    return this.status?.phase === "finished" && this.status.step === 0;
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

  /** Freeze this picture; a replay waits meanwhile, training does not. */
  pausePicture() {
    if (this.paused) return;
    this.paused = true;
    if (this.replay) this.connection.retry();
  }

  /** Back from one's own pause: to what is happening now, or to the replay where it stood. */
  resumePicture() {
    if (this.replay) {
      this.paused = false;
      this.connection.retry();
    } else this.goLive();
  }

  /** Play the run from a step on. */
  play(from: number, speed = this.replay?.speed ?? SPEED) {
    this.replay = { from, speed, ended: false };
    this.playedTo = from;
    this.leave();
  }

  /** Which layouts a replay shows: as they were made, or laid out anew. Begins one where none is on. */
  setAgain(again: boolean) {
    if (again === this.again) return;
    this.again = again;
    if (this.replay) this.leave();
    else if (again) this.play(0);
  }

  /** Go on playing, so many steps a second. */
  setSpeed(speed: number) {
    if (!this.replay) return;
    this.replay = { ...this.replay, speed };
    this.connection.retry();
  }

  /** To what is happening now. */
  goLive() {
    if (this.replay) {
      this.replay = null;
      this.leave();
      return;
    }
    this.paused = false;
    this.layouts = { ...this.layouts, ...this.waitingLayouts };
    this.waitingLayouts = {};
    this.districts = this.waitingDistricts ?? this.districts;
    this.waitingDistricts = null;
    this.scheduler.clear();
    if (this.newest && !this.newest.merged) this.show(this.newest);
    this.count();
  }

  /** To another time: nothing that was counted or waits belongs to it. */
  private leave() {
    this.paused = false;
    this.elsewhere = true;
    this.newest = null;
    this.mergedSince = null;
    this.waitingLayouts = {};
    this.districts = this.waitingDistricts = null;
    this.scheduler.clear();
    if (this.ledger) this.ledger = new Ledger(this.ledger.vocabulary);
    this.connection.retry();
  }

  private address(): string {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    // A replay begins when the tokens are there: what came before would be lost.
    const held = this.paused || !this.ledger;
    return `${scheme}//${location.host}${runPath(this.id, socketPath(this.replay, this.playedTo, held, this.again))}`;
  }

  retry() {
    this.connection.retry();
  }

  /** Ask the trainer for something; throws `Refusal`. */
  async ask(what: Ask) {
    const { request } = await send<{ request: string }>(runPath(this.id, "requests"), what);
    // The acknowledgement may have come before this answer.
    if (this.acknowledged.delete(request)) return;
    this.asked = new Set([...this.asked, request]);
    setTimeout(() => this.forget(request), 20_000);
  }

  close() {
    this.abort.abort();
    clearInterval(this.timer);
    document.removeEventListener("visibilitychange", this.seen);
    this.connection.close();
  }

  private forget(request: string) {
    this.asked = new Set([...this.asked].filter((other) => other !== request));
  }

  private linked(link: Link) {
    this.link = link;
    if (link.state === "refused") this.problem = link.reason || String(link.code);
    if (link.state !== "open") return;
    this.opened += 1;
    this.problem = null;
    if ((this.opened > 1 && !this.replay) || !this.caughtUp) void this.catchUp();
  }

  private readonly seen = () => {
    const silent = performance.now() - this.connection.heard;
    if (!document.hidden && this.status?.phase === "running" && silent > 5_000) this.retry();
  };

  /** Everything that the socket does not repeat: the run, its tokens, its past. */
  private async catchUp() {
    const { signal } = this.abort;
    try {
      const info = await ask<Run>(runPath(this.id), { signal });
      this.learn(info);
      const [past, measured] = await Promise.all([
        ask<{ items: StepRecord[] }>(runPath(this.id, "steps?from=1&most=2000"), { signal }),
        ask<{ items: Measures[] }>(runPath(this.id, "measures"), { signal }),
      ]);
      this.history.begin(
        past.items.map(({ attempt, step, loss, layer_norms: norms }) => ({
          attempt,
          step,
          loss,
          norms,
        })),
      );
      this.measures = measured.items;
      this.chartStale = true;
      this.caughtUp = true;
      if (this.resting || this.beat === null) await this.showRecord();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      if (error.status >= 400 && error.status < 500) this.problem = error.message;
    }
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
    if (info.vocabulary && !this.vocabulary) void this.fetchTokens(info);
  }

  private fetching = false;

  private async fetchTokens(info: Run) {
    if (this.fetching) return;
    this.fetching = true;
    try {
      const classes = (info.classes ?? []).map(({ name }) => name);
      const vocabulary = await fetchVocabulary(this.id, classes, this.abort.signal);
      this.ledger = new Ledger(vocabulary.tokens.length);
      this.vocabulary = vocabulary;
      for (const frame of this.waitingFrames.splice(0)) this.take(frame);
      if (this.replay) this.leave();
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
        const others = this.measures.filter((m) => m.step !== step);
        this.measures = [...others, { step, values }].sort((a, b) => a.step - b.step);
        break;
      }
      case "live":
        this.replay = null;
        break;
      case "end":
        if (this.replay) this.replay = { ...this.replay, ended: true };
        break;
      case "acknowledged": {
        const request = String(message["request"]);
        if (!this.asked.has(request)) this.acknowledged.add(request);
        this.forget(request);
        break;
      }
    }
  }

  private restated(status: Status) {
    const before = this.status?.phase;
    this.status = status;
    const begun = before === "waiting" || before === "preparing";
    // The vocabulary and the layers are known once the corpus is read.
    if (!this.vocabulary && (begun || status.phase === "running")) void this.catchUp();
  }

  private take(frame: Frame) {
    if (!this.ledger) {
      // The tokens are on their way; of each kind the newest frame is enough meanwhile.
      const same = (other: Frame) =>
        other.kind === frame.kind &&
        (frame.kind !== "layout" || (other as Layout).method === frame.method);
      this.waitingFrames = [...this.waitingFrames.filter((other) => !same(other)), frame];
      return;
    }
    if (frame.kind === "census") {
      this.ledger.begin(frame);
      this.playedTo = frame.step;
    }
    if (frame.kind === "layout") this.takeLayout(frame);
    else if (frame.kind === "districts") this.takeDistricts(frame);
    else if (frame.kind === "pulse") this.takePulse(frame, this.ledger);
  }

  private takeLayout(layout: Layout) {
    // While a replay is held, the newest maps come: they are of another time.
    if (this.replay && this.paused) return;
    const next = { [layout.method]: layout };
    if (this.elsewhere) this.layouts = {};
    this.elsewhere = false;
    if (this.paused) this.waitingLayouts = { ...this.waitingLayouts, ...next };
    else this.layouts = { ...this.layouts, ...next };
  }

  private takeDistricts(found: Districts) {
    void this.landmarks.refresh(found.attempt);
    if (this.replay && this.paused) return;
    if (this.paused) this.waitingDistricts = found;
    else this.districts = found;
  }

  private takePulse(pulse: Pulse, ledger: Ledger) {
    // Played to its end, the run went on.
    if (this.replay?.ended) this.replay = null;
    this.playedTo = pulse.step;
    if (this.newest && pulse.attempt !== this.newest.attempt) this.scheduler.clear();
    this.newest = pulse;
    ledger.add(pulse);
    const { attempt, step, loss, layerNorms: norms } = pulse;
    this.history.add({ attempt, step, loss, norms });
    this.chartStale = true;
    if (this.paused) return;
    const now = performance.now();
    const beat = this.scheduler.offer(pulse, now);
    if (beat) this.show(beat);
    if (pulse.merged) this.mergedSince ??= now;
    else this.mergedSince = null;
  }

  private show(pulse: Pulse) {
    const decodedAt = performance.timeOrigin + performance.now();
    this.beat = beatOfPulse(pulse, this.lasting(), decodedAt);
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
    if (step < 1 || this.paused || this.replay || this.fetchingRecord) return;
    if (this.beat && this.beat.step === step) return;
    this.fetchingRecord = true;
    try {
      const detail = await this.detail(step, this.abort.signal);
      if (!this.paused && !this.replay && (this.beat?.step ?? 0) < step) {
        this.beat = beatOfRecord(detail, this.lasting());
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
    if (!this.paused) {
      const beat = this.scheduler.tick(now);
      if (beat) this.show(beat);
      if (this.mergedSince !== null && now - this.mergedSince > MERGED_ONLY) {
        this.mergedSince = now;
        void this.showRecord();
      }
    }
    if (this.ticks % COUNT_EVERY === 0) this.count();
    if (this.ticks % CHART_EVERY === 0 && this.chartStale) {
      this.chartStale = false;
      this.series = this.history.series();
      if (!this.info?.layers?.length && !this.paused) void this.fetchInfo();
    }
    const silent = this.link.state === "open" && now - this.connection.heard > SILENCE;
    if (silent && !this.replay && this.status?.phase === "running" && this.status.alive)
      this.retry();
  }

  private count() {
    const { ledger, newest } = this;
    if (!ledger || this.paused) return;
    const step = newest?.step ?? ledger.step;
    if (this.counters?.step === step) return;
    this.counters = {
      step,
      loss: newest?.loss ?? NaN,
      recently: ledger.litRecently(),
      ever: ledger.everLit(),
    };
  }
}
