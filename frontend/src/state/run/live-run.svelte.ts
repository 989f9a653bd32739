/**
 * One run as this viewer sees it: the connection, the run's description, and its state.
 *
 * Frames arrive at any rate; the page changes by beats, and the counters a few times a second. A
 * viewer of a past step stays connected, so that nothing is lost and the way back to live is short.
 */

import {
  Connection,
  NOTHING_SENT,
  type ConnectionState,
  type ConnectionTarget,
} from "../../api/connection";
import { runPath } from "../../api/rest";
import { serverPath } from "../../api/server-path";
import { getSource } from "../../api/source";
import type {
  Examination,
  LineSet,
  Measures,
  Prediction,
  Run,
  SocketMessage,
  Status,
  TrainerRequest,
} from "../../api/rest-types";
import { ApiError, reasonGiven, type Failure } from "../../api/failure";
import { fetchVocabulary, printableText, type Vocabulary } from "../../api/vocabulary";
import type { SpokenBeat, StepBeat } from "../../model/step-beat";
import { withLineSet } from "../../model/line-sets";
import { hasEnded } from "../../model/phase";
import { stepNumber } from "../../model/step-numbers";
import { CatchUp } from "./catch-up";
import { ClassFeed, NO_CLASS, openClassStream, type ClassTies } from "./class-feed.svelte";
import { DistrictEvents } from "./district-events.svelte";
import { mergeMeasures } from "./measure-series";
import type { LossChartData } from "../live/loss-series";
import { PastStore } from "../past/past-store";
import { NewestStep, type FrameContext } from "../live/newest-step.svelte";
import { CLASS_PATH, socketPath, type Replay } from "./replay";
import { RecordPlayback } from "./record-playback";
import { Requests } from "./requests.svelte";
import { FrameClock } from "../frame-clock";
import { LIVE, TimeControl, type TimePosition } from "./time-control.svelte";

const TICK = 60;
/** Ticks between two looks for the names of the layers. */
const DESCRIBE_EVERY = 16;
/** Silence of a running trainer after which the connection is doubted, in ms. */
const SILENCE = 30_000;
/** Time with merged pulses only after which the newest step is fetched instead, in ms. */
const MERGED_ONLY = 2_500;

const NO_RINGS: ReadonlyMap<number, number> = new Map();
/** Size of the ring around a token that somebody points at. */
const POINTED = 3.5;

/** Close code of a socket that is not allowed. */
const NOT_ALLOWED = 4403;

export type { Counters } from "../shown-step.svelte";

export class LiveRun extends TimeControl {
  info = $state.raw<Run | null>(null);
  status = $state.raw<Status | null>(null);
  connectionState = $state.raw<ConnectionState>({ state: "connecting" });
  vocabulary = $state.raw<Vocabulary | null>(null);
  measures = $state.raw<Measures[]>([]);
  /** Lines that the model said, in order of their steps; null until known. */
  lines = $state.raw<LineSet[] | null>(null);
  /** Light of the map in place of the beat, while the model says something; null: none. */
  spoken = $state.raw<SpokenBeat | StepBeat | null>(null);
  /** Rings on the map around what an answer of the model is about: tokens, and the size of each ring, 1 as usual. */
  ringed = $state.raw<ReadonlyMap<number, number>>(NO_RINGS);
  /** The store of what a class is told of the run besides its frames. */
  readonly classFeed: ClassFeed;
  /** Functions that are called when a question to the model has come further. */
  readonly examined = new Set<(examination: Examination) => void>();
  /** Step up to which the run was smoothed while this viewer was here; null: it was not. */
  smoothedNow = $state<number | null>(null);
  problem = $state.raw<Failure | null>(null);
  /** Set from the loss of the connection until it is back. */
  connectionLost = $state(false);

  /** State that follows the socket, shown unless this viewer is at a past step. */
  protected readonly newest = new NewestStep(() => this.frameContext(), {
    onMap: (frame) => {
      if (frame.kind === "districts") void this.districtEvents.refresh(frame.attempt);
      // Played frames belong to steps that are in the index already.
      if (!this.replay) this.past?.index.addFrame(frame);
    },
    onPulse: (attempt) => {
      // A pulse after the end of the replay means that the run went on.
      if (this.replay?.ended) this.replay = null;
      this.noteAttempt(attempt);
    },
    onCensus: () => {
      this.classFeed.expectBeat();
      this.catchUp.fillGaps();
      this.arrived?.();
    },
  });
  private readonly abort = new AbortController();
  private readonly catchUp: CatchUp;
  readonly districtEvents: DistrictEvents;
  private readonly connection: Connection;
  private readonly timer: ReturnType<typeof setInterval>;
  /** The presenter's requests to the trainer. */
  readonly requests: Requests;
  private ticks = 0;
  /** The series when the names of the layers were last looked for. */
  private describedSeries: LossChartData | null = null;
  private openCount = 0;
  private readonly playback = new RecordPlayback({
    newest: this.newest,
    past: () => this.past,
    method: () => this.method,
    newestStep: () => this.newestStep,
    failed: (reason) => (this.problem = reason),
  });
  /** Newest attempt seen. */
  private attempt = 0;

  constructor(
    readonly id: string,
    { from, speed, at, beat, set }: TimePosition = LIVE,
    frameClock = new FrameClock(),
    private readonly ties: ClassTies = NO_CLASS,
  ) {
    super(frameClock);
    this.classFeed = new ClassFeed(id, ties);
    this.districtEvents = new DistrictEvents(id, this.abort.signal);
    this.catchUp = new CatchUp(
      id,
      this.newest,
      {
        onRunInfo: (info) => this.applyRunInfo(info),
        onMeasures: (items) => (this.measures = mergeMeasures([], items)),
        onLines: (items) => (this.lines = items),
        onRefused: (reason) => (this.problem = reason),
        newestStep: () =>
          this.replay ? null : { attempt: this.attempt, step: this.newestKnownStep },
        isConnected: () => this.connectionState.state === "open",
        mayRead: () => ties.inClass === false,
      },
      this.abort.signal,
    );
    this.requests = new Requests(id);
    this.pastSet.wanted = set;
    if (speed !== null) this.speed = speed;
    if (at !== null) this.pending = { step: at, beats: beat ? "light" : "move" };
    else if (from !== null) {
      this.replay = { from, speed: this.speed, ended: false };
      this.newest.lastStep = from;
    }
    this.connection = new Connection(() => this.target(), {
      onFrame: (frame) => {
        if (!this.playback.active) this.newest.receive(frame);
      },
      onMessage: (message) => this.handleMessage(message),
      onState: (state) => this.handleConnectionState(state),
    });
    this.timer = setInterval(() => this.tick(), TICK);
    document.addEventListener("visibilitychange", this.handleVisibility);
    this.catchUp.requestRead();
  }

  /** Set the least milliseconds between two beats. */
  setBeatInterval(milliseconds: number) {
    this.newest.scheduler.interval = milliseconds;
  }

  get beatInterval(): number {
    return this.newest.scheduler.interval;
  }

  /** Return the name that people read; the id until it is known. */
  get name(): string {
    return printableText(this.info?.name ?? this.id);
  }

  /** Take a name that somebody has given the run since it was opened. */
  noteName(name: string) {
    if (this.info && this.info.name !== name) this.info = { ...this.info, name };
  }

  /** Return the rings on the map: those of an answer of the model, and that of whoever points at a word. */
  get rings(): ReadonlyMap<number, number> {
    const { pointed } = this.classFeed;
    return pointed === null ? this.ringed : new Map([...this.ringed, [pointed, POINTED]]);
  }

  /** Return the newest step known from a pulse or from the status. */
  private get newestKnownStep(): number {
    return Math.max(this.status?.step ?? 0, this.newest.newestPulse?.step ?? 0);
  }

  /** Return whether the run cannot be shown, and never could. */
  get unavailable(): boolean {
    return this.problem !== null && this.info === null;
  }

  /** Return whether the run should be training but no trainer is alive. */
  get stalled(): boolean {
    const { phase, alive = true } = this.status ?? {};
    return !alive && (phase === "preparing" || phase === "running" || phase === "paused");
  }

  /** Return whether the steps come from a user's own training loop, which takes no requests. */
  get externallyTrained(): boolean {
    return this.info?.recipe?.corpus.kind === "recorded";
  }

  /** Return the number of a step in the training it was recorded from; null if it is not known. */
  stepNumber(step: number): number | null {
    return stepNumber(step, this.info?.numbers ?? []);
  }

  /** Return whether the model says something, or may yet: recorded runs have none that could. */
  get speaks(): boolean {
    if (this.externallyTrained) return false;
    return this.lines === null || this.lines.length > 0 || !hasEnded(this.status?.phase);
  }

  /** Return whether no step is expected, so that the last beat may stay lit. */
  get idle(): boolean {
    if (this.status === null) return false;
    if (this.replay) return this.replay.ended || this.connectionState.state !== "open";
    return (
      this.connectionState.state !== "open" || this.status.phase !== "running" || !this.status.alive
    );
  }

  /** Return whether the texts of steps come with their beats, so that nobody needs to ask for them. */
  get wordsCome(): boolean {
    return this.ties.inClass === true && !this.inPast && this.status?.phase === "running";
  }

  /** Return whether all that is known of the run is in a file, so that no socket tells of it. */
  private get packed(): boolean {
    return getSource().packed !== null;
  }

  private target(): ConnectionTarget | typeof NOTHING_SENT | null {
    if (this.packed) return NOTHING_SENT;
    const { inClass: shared } = this.ties;
    if (shared === null) return null;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    // A replay starts only once the tokens are loaded; frames before that would be lost.
    const waiting = !this.newest.touchCounts;
    const path = shared
      ? CLASS_PATH
      : socketPath(this.replay, this.newest.lastStep, waiting, this.reprojected);
    const url = `${scheme}//${location.host}${serverPath(runPath(this.id, path))}`;
    return { url, opener: shared ? openClassStream : null };
  }

  retry() {
    this.connection.retry();
  }

  /** Go on with what waited for what the server says of this browser. */
  connectOnce() {
    this.connection.connectOnce();
    if (!this.ties.inClass && !this.newest.beat) void this.catchUp.lightNewestStep();
  }

  protected reconnect() {
    this.playback.stop();
    if (this.replay && (this.packed || this.ties.inClass)) void this.playRecord(this.replay);
    else if (this.packed)
      void this.playback.showEnd(() => this.replay !== null || this.abort.signal.aborted);
    else this.retry();
  }

  /** Play the record from the last step played, and then stay at its end or go live. */
  private async playRecord({ speed }: Replay) {
    if (!(await this.playback.play(speed)) || !this.replay) return;
    if (hasEnded(this.status?.phase)) this.replay = { ...this.replay, ended: true };
    else this.goLive();
  }

  /** Open another run of the same server, live. */
  openBeside(id: string): LiveRun {
    return new LiveRun(id, LIVE, undefined, this.ties);
  }

  /** Send a prediction to the class; return whether it was sent. */
  predict(prediction: Prediction): boolean {
    return this.connection.send(prediction);
  }

  /** Send a request to the trainer. Throws `ApiError`. */
  sendRequest(request: TrainerRequest): Promise<void> {
    return this.requests.sendRequest(request);
  }

  close() {
    this.cursor?.close();
    this.playback.stop();
    this.abort.abort();
    clearInterval(this.timer);
    document.removeEventListener("visibilitychange", this.handleVisibility);
    this.connection.close();
  }

  private handleConnectionState(state: ConnectionState) {
    this.connectionState = state;
    if (state.state === "refused") {
      this.problem = reasonGiven(state.reason || String(state.code));
      if (state.code === NOT_ALLOWED) this.ties.end();
    }
    if (state.state !== "connecting") this.connectionLost = state.state === "waiting";
    if (state.state !== "open") return;
    this.openCount += 1;
    this.problem = null;
    if (this.openCount > 1) this.past?.index.drop();
    if ((this.openCount > 1 && !this.replay) || !this.catchUp.done) this.catchUp.requestRead();
    if (this.cursor?.problem) this.cursor.refresh();
  }

  private readonly handleVisibility = () => {
    const silent = performance.now() - this.connection.lastMessageAt;
    if (!document.hidden && this.status?.phase === "running" && silent > 5_000) this.retry();
  };

  private applyRunInfo(info: Run) {
    this.info = info;
    this.status = info.status;
    if (!this.inPast) this.pastSet.choose(this.past);
    this.noteAttempt(info.status?.attempt ?? 0);
    if (info.vocabulary && !this.vocabulary) void this.loadVocabulary(info);
  }

  private fetching = false;

  private async loadVocabulary(info: Run) {
    if (this.fetching) return;
    this.fetching = true;
    try {
      const vocabulary = await fetchVocabulary(this.id, info.classes ?? [], this.abort.signal);
      this.vocabulary = vocabulary;
      this.past = new PastStore(
        this.id,
        vocabulary.tokens.length,
        () => ({ attempt: this.attempt, step: this.newestStep }),
        this.abort.signal,
      );
      this.pastSet.choose(null);
      this.past.invalidate(this.reprojected);
      void this.pastSet.fetchRest(this.past, true);
      this.newest.setVocabulary(vocabulary.tokens.length);
      this.standAtPending();
      if (this.replay || this.packed) this.restartStream();
      else if (this.newest.overflowed) this.connection.retry();
    } catch (error) {
      if (this.abort.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      setTimeout(() => void this.loadVocabulary(info), 1_500);
    } finally {
      this.fetching = false;
    }
  }

  private handleMessage(message: SocketMessage) {
    switch (message.type) {
      case "hello":
        this.applyRunInfo({ ...this.info, ...message.run });
        break;
      case "status":
        this.applyStatus(message.status);
        break;
      case "measures": {
        const { step, values } = message;
        this.measures = mergeMeasures(this.measures, [{ step, values }]);
        break;
      }
      case "lines":
        this.lines = withLineSet(this.lines ?? [], message);
        break;
      case "examination":
        for (const hear of this.examined) hear(message.examination);
        break;
      case "words":
        this.classFeed.hearWords(message);
        break;
      case "class":
        // What the model said was refused before.
        if (this.classFeed.hearClass(message) && this.catchUp.done) this.catchUp.requestRead();
        break;
      case "live":
        this.replay = null;
        break;
      case "end":
        if (this.replay) this.replay = { ...this.replay, ended: true };
        break;
      case "acknowledged": {
        this.requests.acknowledge(message.request);
        break;
      }
    }
  }

  private applyStatus(status: Status) {
    const { phase: before, smoothed } = this.status ?? {};
    this.status = status;
    if (status.phase !== "running") this.singleStep = false;
    // What somebody looks at stays; the next look at the past is on the smoothed map.
    if (!this.inPast) this.pastSet.choose(this.past);
    if (smoothed !== undefined && status.smoothed !== smoothed)
      this.smoothedNow = status.smoothed ?? null;
    this.noteAttempt(status.attempt);
    const started = before === "waiting" || before === "preparing";
    // The vocabulary and the layers are known once the corpus is read.
    if (!this.vocabulary && (started || status.phase === "running")) this.catchUp.requestRead();
  }

  /** Notice an attempt. A newer one than known took over steps, perhaps the one shown. */
  private noteAttempt(attempt: number) {
    if (attempt <= this.attempt) return;
    const known = this.attempt > 0;
    this.attempt = attempt;
    // The last pulse of an older attempt may not count any more.
    const { newest } = this;
    if (newest.newestPulse && newest.newestPulse.attempt < attempt) newest.newestPulse = null;
    if (!known) return;
    this.past?.invalidate(this.reprojected);
    this.cursor?.refresh();
  }

  private frameContext(): FrameContext {
    const { method, replay, status } = this;
    return {
      method,
      played: replay !== null,
      growing: !replay && status?.phase === "running",
      stepwise:
        !replay && (this.singleStep || status?.pace === "single" || status?.phase === "paused"),
      speed: replay?.speed ?? status?.pace_steps_per_second ?? null,
    };
  }

  private tick() {
    const now = performance.now();
    this.ticks += 1;
    this.newest.tick(now);
    if (this.newest.mergedOnlyFor(MERGED_ONLY, now)) void this.catchUp.lightNewestStep();
    if (this.classFeed.isOverdue(now, this.newest.beat !== null))
      void this.catchUp.lightNewestStep();
    this.standAtPending();
    const { series } = this.newest;
    if (this.ticks % DESCRIBE_EVERY === 0 && series !== this.describedSeries) {
      this.describedSeries = series;
      if (!this.info?.layers?.length) void this.catchUp.refreshRunInfo();
    }
    const silent =
      this.connectionState.state === "open" && now - this.connection.lastMessageAt > SILENCE;
    if (silent && !this.replay && this.status?.phase === "running" && this.status.alive)
      this.retry();
  }
}
