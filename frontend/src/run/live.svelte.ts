/**
 * One run as this viewer sees it: as it happens, played from a step on, or standing at a step of the past.
 *
 * Frames arrive as they come; what the page shows changes by beats, and counters a few times a second. Who stands
 * in the past stays connected to the present meanwhile: nothing is lost, and the way back is short.
 */

import { Connection, type Link } from "../wire/connection";
import type { Method } from "../wire/frames";
import { Refusal, runPath, type Ask, type Measures, type Run, type Status } from "../wire/rest";
import { fetchVocabulary, type Vocabulary } from "../wire/vocabulary";
import { CatchUp } from "./catchup";
import { Landmarks } from "./landmarks.svelte";
import { joined } from "./measures";
import { Past } from "./past";
import { Present, type Pace } from "./present.svelte";
import { socketPath, SPEED, type Replay } from "./replay";
import { Requests } from "./requests.svelte";
import type { Shown } from "./shown.svelte";
import { Standing } from "./standing.svelte";

const TICK = 60;
/** Ticks between two updates of the counters, and of the charts. */
const COUNT_EVERY = 4;
const CHART_EVERY = 16;
/** How long a training run may be silent before the connection is doubted, in ms. */
const SILENCE = 30_000;
/** How long only merged pulses may come before the newest step is fetched instead, in ms. */
const MERGED_ONLY = 2_500;

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
  private readonly now = new Present(() => this.pace(), {
    found: (frame) => {
      if (frame.kind === "districts") void this.landmarks.refresh(frame.attempt);
      if (this.standing) this.past?.note(frame);
    },
    pulsed: (attempt) => {
      // Played to its end, the run went on.
      if (this.replay?.ended) this.replay = null;
      this.taken(attempt);
    },
    begun: () => this.catchUp.fill(),
  });
  private readonly abort = new AbortController();
  private readonly catchUp: CatchUp;
  readonly landmarks: Landmarks;
  private readonly connection: Connection;
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly requests: Requests;
  private past: Past | null = null;
  /** The step to stand at once the tokens are there. */
  private wish = $state<number | null>(null);
  private method: Method = "umap";
  private ticks = 0;
  private opened = 0;
  /** The newest attempt that was heard of. */
  private attempt = 0;

  constructor(
    readonly id: string,
    { from, speed, at }: When,
    /** Resolves when another moment of the past is worth being shown. */
    private readonly painted?: () => Promise<void>,
  ) {
    this.landmarks = new Landmarks(id, this.abort.signal);
    this.catchUp = new CatchUp(
      id,
      this.now,
      {
        learned: (info) => this.learn(info),
        measured: (items) => (this.measures = joined([], items)),
        refused: (reason) => (this.problem = reason),
        newest: () => (this.replay ? null : { attempt: this.attempt, step: this.newestTold }),
        connected: () => this.link.state === "open",
      },
      this.abort.signal,
    );
    this.requests = new Requests(id);
    if (speed !== null) this.speed = speed;
    if (at !== null) this.wish = at;
    else if (from !== null) {
      this.replay = { from, speed: this.speed, ended: false };
      this.now.told = from;
    }
    this.connection = new Connection(() => this.address(), {
      frame: (frame) => this.now.take(frame),
      message: (message) => this.hear(message),
      link: (link) => this.linked(link),
    });
    this.timer = setInterval(() => this.tick(), TICK);
    document.addEventListener("visibilitychange", this.seen);
    this.catchUp.again();
  }

  /** Least milliseconds between two beats. */
  setBeatInterval(milliseconds: number) {
    this.now.scheduler.interval = milliseconds;
  }

  get beatInterval(): number {
    return this.now.scheduler.interval;
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

  /** The newest step that was told one by one, or that the status names. */
  private get newestTold(): number {
    return Math.max(this.status?.step ?? 0, this.now.newest?.step ?? 0);
  }

  /** One matrix as it is: there never was a step. */
  get still(): boolean {
    return this.status?.phase === "finished" && this.status.step === 0;
  }

  /** It cannot be shown, and never could. */
  get missing(): boolean {
    return this.problem !== null && this.info === null;
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
  private leave() {
    this.now.leave();
    this.connection.retry();
  }

  private address(): string {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    // A replay begins when the tokens are there: what came before would be lost.
    const held = !this.now.ledger;
    return `${scheme}//${location.host}${runPath(this.id, socketPath(this.replay, this.now.told, held, this.again))}`;
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
    if ((this.opened > 1 && !this.replay) || !this.catchUp.done) this.catchUp.again();
    if (this.standing?.problem) this.standing.refresh();
  }

  private readonly seen = () => {
    const silent = performance.now() - this.connection.heard;
    if (!document.hidden && this.status?.phase === "running" && silent > 5_000) this.retry();
  };

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
      this.vocabulary = vocabulary;
      this.past = new Past(
        this.id,
        vocabulary.tokens.length,
        () => ({ attempt: this.attempt, step: this.newestStep }),
        this.abort.signal,
      );
      this.past.renew(this.again);
      this.now.begin(vocabulary.tokens.length);
      // A link may name a step that there is not: the server says so.
      if (this.wish !== null) this.begin(this.wish);
      if (this.replay) this.leave();
      else if (this.now.overflowed) this.connection.retry();
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
    if (!this.vocabulary && (begun || status.phase === "running")) this.catchUp.again();
  }

  /** Frames of a newer attempt than was known: it took steps, perhaps the one that is stood at. */
  private taken(attempt: number) {
    if (attempt <= this.attempt) return;
    const known = this.attempt > 0;
    this.attempt = attempt;
    // What an older one did last may not count any more.
    const { now } = this;
    if (now.newest && now.newest.attempt < attempt) now.newest = null;
    if (!known) return;
    this.past?.renew(this.again);
    this.standing?.refresh();
  }

  private pace(): Pace {
    const { method, replay, status } = this;
    return {
      method,
      played: replay !== null,
      stepwise: !replay && (status?.pace === "single" || status?.phase === "paused"),
      speed: replay?.speed ?? status?.pace_steps_per_second ?? null,
    };
  }

  /** What one step read and did, with its text. */
  detail(step: number, signal: AbortSignal) {
    return this.catchUp.detail(step, signal);
  }

  private tick() {
    const now = performance.now();
    this.ticks += 1;
    this.now.tick(now);
    if (this.now.dimFor(MERGED_ONLY, now)) void this.catchUp.light();
    if (this.ticks % COUNT_EVERY === 0) this.now.count();
    if (this.ticks % CHART_EVERY === 0 && this.now.chart() && !this.info?.layers?.length)
      void this.catchUp.learn();
    const silent = this.link.state === "open" && now - this.connection.heard > SILENCE;
    if (silent && !this.replay && this.status?.phase === "running" && this.status.alive)
      this.retry();
  }
}
