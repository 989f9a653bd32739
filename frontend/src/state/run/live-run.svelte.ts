/**
 * One run as this viewer sees it: the connection, the run's description, and its state.
 *
 * Frames arrive at any rate; the page changes by beats, and the counters a few times a second. A
 * viewer of a past step stays connected, so that nothing is lost and the way back to live is short.
 */

import { Connection, type Link } from "../../api/connection";
import { runPath, type Ask, type Measures, type Run, type Status } from "../../api/rest";
import { Refusal, said, type Failure } from "../../api/failure";
import { fetchVocabulary, type Vocabulary } from "../../api/vocabulary";
import { CatchUp } from "./catch-up";
import { Landmarks } from "./district-events.svelte";
import { joined } from "./measure-series";
import { Past } from "../past/past-store";
import { Present, type Pace } from "../live/newest-step.svelte";
import { socketPath } from "./replay";
import { Requests } from "./requests.svelte";
import { Travel, type When } from "./time-control.svelte";

const TICK = 60;
/** Ticks between two updates of the counters, and of the charts. */
const COUNT_EVERY = 4;
const CHART_EVERY = 16;
/** Silence of a running trainer after which the connection is doubted, in ms. */
const SILENCE = 30_000;
/** Time with merged pulses only after which the newest step is fetched instead, in ms. */
const MERGED_ONLY = 2_500;

export type { Counters } from "../shown-step.svelte";

export class LiveRun extends Travel {
  info = $state.raw<Run | null>(null);
  status = $state.raw<Status | null>(null);
  link = $state.raw<Link>({ state: "connecting" });
  vocabulary = $state.raw<Vocabulary | null>(null);
  measures = $state.raw<Measures[]>([]);
  problem = $state.raw<Failure | null>(null);

  /** State that follows the socket, shown unless this viewer is at a past step. */
  protected readonly now = new Present(() => this.pace(), {
    found: (frame) => {
      if (frame.kind === "districts") void this.landmarks.refresh(frame.attempt);
      // Played frames belong to steps that are in the index already.
      if (!this.replay) this.past?.note(frame);
    },
    pulsed: (attempt) => {
      // A pulse after the end of the replay means that the run went on.
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
  /** Newest attempt seen. */
  private attempt = 0;

  constructor(
    readonly id: string,
    { from, speed, at }: When,
    /** Resolves when it is worth showing another past step. */
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

  /** Set the least milliseconds between two beats. */
  setBeatInterval(milliseconds: number) {
    this.now.scheduler.interval = milliseconds;
  }

  get beatInterval(): number {
    return this.now.scheduler.interval;
  }

  /** Return the requests that the trainer has not yet acknowledged. */
  get asked(): ReadonlySet<string> {
    return this.requests.asked;
  }

  /** Return the newest step known from a pulse or from the status. */
  private get newestTold(): number {
    return Math.max(this.status?.step ?? 0, this.now.newest?.step ?? 0);
  }

  /** Return whether the run cannot be shown, and never could. */
  get missing(): boolean {
    return this.problem !== null && this.info === null;
  }

  /** Return whether the run should be training but no trainer is alive. */
  get stalled(): boolean {
    const { phase, alive = true } = this.status ?? {};
    return !alive && (phase === "preparing" || phase === "running" || phase === "paused");
  }

  /** Return whether the steps come from a user's own training loop, which takes no requests. */
  get recorded(): boolean {
    return this.info?.recipe?.corpus.kind === "recorded";
  }

  /** Return whether no step is expected, so that the last beat may stay lit. */
  get resting(): boolean {
    if (this.status === null) return false;
    if (this.replay) return this.replay.ended || this.link.state !== "open";
    return this.link.state !== "open" || this.status.phase !== "running" || !this.status.alive;
  }

  private address(): string {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    // A replay starts only once the tokens are loaded; frames before that would be lost.
    const held = !this.now.ledger;
    return `${scheme}//${location.host}${runPath(this.id, socketPath(this.replay, this.now.told, held, this.again))}`;
  }

  retry() {
    this.connection.retry();
  }

  protected reconnect() {
    this.retry();
  }

  /** Send a request to the trainer. Throws `ApiError`. */
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
    if (link.state === "refused") this.problem = said(link.reason || String(link.code));
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
      // A link may name a step that does not exist; the server reports it.
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

  /** Notice an attempt. A newer one than known took over steps, perhaps the one shown. */
  private taken(attempt: number) {
    if (attempt <= this.attempt) return;
    const known = this.attempt > 0;
    this.attempt = attempt;
    // The last pulse of an older attempt may not count any more.
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

  /** Fetch what one step read and did, with its text. Throws `ApiError`, or the abort. */
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
