/**
 * One open run: routes the data that arrives by its stream and by REST.
 *
 * Frames arrive at any rate; the page changes with beats, and the counters a few times a second. A viewer of
 * a past step stays connected, so that nothing is lost and returning to live is fast.
 */

import { ApiError } from "../../api/failure";
import type { Frame } from "../../api/frames";
import type {
  Examination,
  PredictionMessage,
  Run,
  SocketMessage,
  Status,
} from "../../api/rest-types";
import { fetchVocabulary } from "../../api/vocabulary";
import { withLineSet } from "../../model/plane/line-sets";
import type { SpokenLight, StepLight } from "../../model/light";
import type { DifferenceBy } from "../../model/view/view-options";
import { FrameClock } from "../frame-clock";
import { passedPoints, type LossChartData } from "../live/loss-series";
import { NewestStep } from "../live/newest-step.svelte";
import { PastStore } from "../past/past-store";
import { CatchUp } from "./catch-up";
import { ClassFeed, NO_CLASS, type ClassTies } from "./class-feed.svelte";
import { DistrictEvents } from "./district-events.svelte";
import { mergeMeasures } from "./measure-series";
import { RecordPlayback } from "./record-playback";
import type { Replay } from "./replay";
import { Requests } from "./requests.svelte";
import { RunStream } from "./run-stream.svelte";
import type { TimePosition } from "./shown-run.svelte";
import { LIVE, TimeControl } from "./time-control.svelte";

const TICK = 60;
/** Ticks between two checks for the names of the layers. */
const DESCRIBE_EVERY = 16;

const NO_RINGS: ReadonlyMap<number, number> = new Map();
/** Size of the ring around the token pointed at. */
const POINTED = 3.5;

export class LiveRun extends TimeControl {
  /** Light that replaces the beat on the map while the model generates text; null: none. */
  spoken = $state.raw<SpokenLight | StepLight | null>(null);
  /** Rings on the map around the tokens of a model answer, with the size of each ring; 1 is the default. */
  ringed = $state.raw<ReadonlyMap<number, number>>(NO_RINGS);
  /** Notes on the map beside the names of such tokens. */
  ringNotes = $state.raw<ReadonlyMap<number, string>>(new Map());
  /** How far each row is from the same word's row in the run on the second map; null: not known. */
  compared = $state.raw<Readonly<Record<DifferenceBy, Float32Array>> | null>(null);
  /** The step by which each word was learned, by token; NaN: none. Null: not known. */
  ages = $state.raw<Float32Array | null>(null);
  /** The data of the run that a class receives besides its frames. */
  readonly classFeed: ClassFeed;
  /** Callbacks for progress of a question to the model. */
  readonly examined = new Set<(examination: Examination) => void>();
  /** State that follows the socket, shown unless this viewer is at a past step. */
  protected readonly newest = new NewestStep(() => this.frameContext, {
    onMap: (frame) => {
      if (frame.kind === "districts") void this.districtEvents.refresh(frame.attempt);
      // Replayed frames are in the index already.
      if (!this.replay) this.past?.index.addFrame(frame);
    },
    onBeat: (attempt) => this.noteAttempt(attempt),
    onCensus: () => {
      this.classFeed.expectBeat();
      this.catchUp.fillGaps();
      this.arrived?.();
    },
  });
  private readonly abort = new AbortController();
  private readonly catchUp: CatchUp;
  readonly districtEvents: DistrictEvents;
  readonly stream: RunStream;
  private readonly timer: ReturnType<typeof setInterval>;
  /** The presenter's requests to the trainer. */
  readonly requests: Requests;
  /** Set while the vocabulary loads. */
  private fetching = false;
  private ticks = 0;
  /** The series at the last check for the names of the layers. */
  private describedSeries: LossChartData | null = null;
  private readonly playback = new RecordPlayback({
    newest: this.newest,
    past: () => this.past,
    method: () => this.method,
    newestStep: () => this.newestStep,
    failed: (reason) => (this.problem = reason),
  });

  constructor(
    id: string,
    { from, speed, at, beat, set }: TimePosition = LIVE,
    frameClock = new FrameClock(),
    private readonly ties: ClassTies = NO_CLASS,
  ) {
    super(id, frameClock);
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
        isConnected: () => this.stream.open,
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
    this.stream = new RunStream(id, ties, {
      onFrame: (frame) => this.handleFrame(frame),
      onMessage: (message) => this.handleMessage(message),
      onOpen: (again) => this.handleOpen(again),
      onRefused: (reason) => (this.problem = reason),
      running: () => this.status?.phase === "running",
    });
    this.timer = setInterval(() => this.tick(), TICK);
    this.catchUp.requestRead();
  }

  /** Return the rings on the map: those of a model answer, and that of the token pointed at. */
  get rings(): ReadonlyMap<number, number> {
    const { pointed } = this.classFeed;
    return pointed === null ? this.ringed : new Map([...this.ringed, [pointed, POINTED]]);
  }

  /** Return the newest step known from a beat or from the status. */
  private get newestKnownStep(): number {
    return Math.max(this.status?.step ?? 0, this.newest.newestBeat?.step ?? 0);
  }

  /** Return whether no step is expected, so that the last beat may stay lit. */
  get idle(): boolean {
    const { status, replay } = this;
    if (!status) return false;
    if (!this.stream.open) return true;
    return replay ? replay.ended : status.phase !== "running" || !status.alive;
  }

  /** Return whether the texts of steps come with their beats, so that they need not be requested. */
  get wordsCome(): boolean {
    return this.ties.inClass === true && !this.inPast && this.status?.phase === "running";
  }

  /** Connect if that waited for the server's answer about this browser. */
  connectOnce() {
    this.stream.connectOnce();
    if (!this.ties.inClass && !this.newest.beat) void this.catchUp.lightNewestStep();
  }

  protected reconnect() {
    this.playback.stop();
    if (this.replay) void this.playRecord(this.replay);
    else if (this.stream.packed)
      void this.playback.showEnd(() => this.replay !== null || this.abort.signal.aborted);
    else this.stream.retry();
  }

  /** Play the record from the last step played, and then stay at its end or go live. */
  private async playRecord({ speed }: Replay) {
    if (!(await this.playback.play(speed)) || !this.replay) return;
    if (this.over) this.replay = { ...this.replay, ended: true };
    else this.goLive();
  }

  /** Open another run of the same server, live, on the same set of layouts. */
  openBeside(id: string): LiveRun {
    return new LiveRun(id, { ...LIVE, set: this.pastSet.wanted }, undefined, this.ties);
  }

  /** Send a prediction to the class; return whether it was sent. */
  predict(prediction: PredictionMessage): boolean {
    // One that comes late, by way of another server, does not replace a later one.
    return this.stream.send({ ...prediction, id: Date.now() });
  }

  close() {
    this.cursor?.close();
    this.playback.stop();
    this.abort.abort();
    clearInterval(this.timer);
    this.stream.close();
  }

  private handleOpen(again: boolean) {
    this.problem = null;
    // It lacks the maps made in the meantime.
    if (again) this.past?.index.drop();
    if ((again && !this.replay) || !this.catchUp.done) this.catchUp.requestRead();
    if (this.cursor?.problem) this.cursor.refresh();
  }

  /** Handle a live frame. During a replay only its maps are recorded. */
  private handleFrame(frame: Frame) {
    const { replay } = this;
    if (!replay) this.newest.receive(frame);
    else if (frame.kind === "layout" || frame.kind === "districts")
      this.past?.index.addFrame(frame);
    // A beat after the end of the replay means that the run continued.
    else if (replay.ended && frame.kind === "beat") this.goLive();
  }

  private applyRunInfo(info: Run) {
    this.info = info;
    this.status = info.status;
    if (!this.inPast) this.pastSet.choose(this.past);
    this.noteAttempt(info.status?.attempt ?? 0);
    if (info.vocabulary && !this.vocabulary) void this.loadVocabulary(info);
  }

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
      if (this.replay || this.stream.packed) this.restartStream();
      else if (this.newest.overflowed) this.stream.retry();
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
        // The generated lines were refused before.
        if (this.classFeed.hearClass(message) && this.catchUp.done) this.catchUp.requestRead();
        break;
      case "passed":
        if (!this.replay) this.newest.addPassed(passedPoints(message));
        break;
      case "acknowledged": {
        this.requests.acknowledge(message.request);
        break;
      }
    }
  }

  private applyStatus(status: Status) {
    const before = this.status?.phase;
    this.noteStatus(status);
    if (status.phase !== "running") this.singleStep = false;
    // The current picture stays; the next visit to the past uses the smoothed map.
    if (!this.inPast) this.pastSet.choose(this.past);
    this.noteAttempt(status.attempt);
    const started = before === "waiting" || before === "preparing";
    // The vocabulary and the layers are known once the corpus is read.
    if (!this.vocabulary && (started || status.phase === "running")) this.catchUp.requestRead();
  }

  private tick() {
    const now = performance.now();
    this.ticks += 1;
    this.newest.tick(now);
    if (this.classFeed.isOverdue(now, this.newest.beat !== null))
      void this.catchUp.lightNewestStep();
    this.standAtPending();
    const { series } = this.newest;
    if (this.ticks % DESCRIBE_EVERY === 0 && series !== this.describedSeries) {
      this.describedSeries = series;
      if (!this.info?.layers?.length) void this.catchUp.refreshRunInfo();
    }
    if (!this.replay && this.status?.alive) this.stream.checkSilence(now);
  }
}
