/**
 * One run as this viewer sees it: connected to it, learning what it is and does.
 *
 * Frames arrive as they come; what the page shows changes by beats, and counters a few times a second. Who stands
 * in the past stays connected to the present meanwhile: nothing is lost, and the way back is short.
 */

import { Connection, type Link } from "../wire/connection";
import { Refusal, runPath, type Ask, type Measures, type Run, type Status } from "../wire/rest";
import { fetchVocabulary, type Vocabulary } from "../wire/vocabulary";
import { CatchUp } from "./catchup";
import { Landmarks } from "./landmarks.svelte";
import { joined } from "./measures";
import { Past } from "./past";
import { Present, type Pace } from "./present.svelte";
import { socketPath } from "./replay";
import { Requests } from "./requests.svelte";
import { Travel, type When } from "./travel.svelte";

const TICK = 60;
/** Ticks between two updates of the counters, and of the charts. */
const COUNT_EVERY = 4;
const CHART_EVERY = 16;
/** How long a training run may be silent before the connection is doubted, in ms. */
const SILENCE = 30_000;
/** How long only merged pulses may come before the newest step is fetched instead, in ms. */
const MERGED_ONLY = 2_500;

export type { Counters } from "./shown.svelte";

export class LiveRun extends Travel {
  info = $state.raw<Run | null>(null);
  status = $state.raw<Status | null>(null);
  link = $state.raw<Link>({ state: "connecting" });
  vocabulary = $state.raw<Vocabulary | null>(null);
  measures = $state.raw<Measures[]>([]);
  problem = $state<string | null>(null);

  /** What comes in, shown unless this viewer stands elsewhere. */
  protected readonly now = new Present(() => this.pace(), {
    found: (frame) => {
      if (frame.kind === "districts") void this.landmarks.refresh(frame.attempt);
      // Played frames are of steps that are listed.
      if (!this.replay) this.past?.note(frame);
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
  private ticks = 0;
  private opened = 0;
  /** The newest attempt that was heard of. */
  private attempt = 0;

  constructor(
    readonly id: string,
    { from, speed, at }: When,
    /** Resolves when another moment of the past is worth being shown. */
    painted?: () => Promise<void>,
  ) {
    super(painted);
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

  /** What the presenter asked for and the trainer has not yet acknowledged. */
  get asked(): ReadonlySet<string> {
    return this.requests.asked;
  }

  /** The newest step that was told one by one, or that the status names. */
  private get newestTold(): number {
    return Math.max(this.status?.step ?? 0, this.now.newest?.step ?? 0);
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

  private address(): string {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    // A replay begins when the tokens are there: what came before would be lost.
    const held = !this.now.ledger;
    return `${scheme}//${location.host}${runPath(this.id, socketPath(this.replay, this.now.told, held, this.again))}`;
  }

  retry() {
    this.connection.retry();
  }

  protected reconnect() {
    this.retry();
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
    if (this.opened > 1) this.past?.missed();
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
