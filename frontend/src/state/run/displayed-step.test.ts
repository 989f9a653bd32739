import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Beat } from "../../api/beat-frames";
import { NEVER, type Census } from "../../api/frames";
import type { Status } from "../../api/rest-types";
import { lightOfBeat } from "../../model/light";
import { TouchCounts } from "../../model/touch-counts";
import { FrameClock } from "../frame-clock";
import { NewestStep } from "../live/newest-step.svelte";
import type { PastStore } from "../past/past-store";
import { LIGHT_DURATION } from "../shown-step.svelte";
import type { TimePosition } from "./shown-run.svelte";
import { LIVE, TimeControl } from "./time-control.svelte";

const V = 8;

const NONE = new Uint32Array(0);

/** Return a step whose batch has row `step % V` and row 0. */
function beatOf(step: number): Beat {
  const batchIds = Uint32Array.from(new Set([0, step % V])).sort();
  return {
    ...{ kind: "beat", attempt: 1, step, firstStep: step, vocabulary: V, loss: 10 / step },
    ...{ learningRate: 1, tokensPerSecond: 1, stepSeconds: 1, observeSeconds: 1, time: 0 },
    batchIds,
    batchCounts: batchIds.map(() => 1),
    gradientNorms: Float32Array.from(batchIds, (id) => id + 1),
    layerNorms: Float32Array.of(1),
    ...{ gradientRows: batchIds.length, movedRows: batchIds.length, driftingRows: null },
    between: { ids: NONE, touches: NONE, lastLit: NONE, norms: null },
    ...{ elsewhere: false, gradients: null },
  };
}

/** Count the rows lit up to `step`: two by every step, its own and row 0. */
function census(step: number): Census {
  const lastLit = new Uint32Array(V).fill(NEVER);
  for (let one = 1; one <= step; one++) lastLit[0] = lastLit[one % V] = one;
  const touches = lastLit.map((last) => (last === NEVER ? 0 : 1));
  return { kind: "census", attempt: 1, step, vocabulary: V, time: 0, touches, lastLit };
}

/** Return how many rows were lit up to a step. */
const litBy = (step: number) => Math.min(V, step + 1);

const status = (step: number, phase: Status["phase"] = "running") =>
  ({ step, phase, pace: "full", attempt: 1, steps: 5_000 }) as Status;

/** The time of a run, without a server. */
class Time extends TimeControl {
  readonly stream = { open: true };
  reconnects = 0;
  override readonly newest = new NewestStep(() => this.frameContext, {
    onMap: () => {},
    onBeat: () => {},
    onCensus: () => this.arrived?.(),
  });

  constructor(position: Partial<TimePosition> = {}) {
    super("run", new FrameClock());
    this.newest.setVocabulary(V);
    this.goTo({ ...LIVE, ...position });
  }

  /** Load the tokens, so that past steps can be fetched. */
  loadTokens() {
    this.past = {
      fetchStep: (step: number) => {
        const touchCounts = new TouchCounts(V);
        touchCounts.loadCensus(census(step));
        const layouts = {};
        return Promise.resolve({ attempt: 1, step, beat: beatOf(step), touchCounts, layouts });
      },
      prefetch: { fetchSteps: () => {} },
      heldAt: (one: number) => one,
      heldBeyond: (one: number, by: number) => one + by,
      suspend: () => {},
    } as unknown as PastStore;
    this.standAtPending();
  }

  /** Check whether the requested step has arrived, as the page does all the time. */
  look() {
    this.standAtPending();
  }

  protected reconnect() {
    this.reconnects += 1;
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds);

/** Check that light, counts and loss line all belong to one step. */
function expectDisplayed({ newest, displayedStep }: Time, step: number) {
  expect(displayedStep).toBe(step);
  expect(newest.beat?.step).toBe(step);
  expect(newest.counters).toMatchObject({ step, ever: litBy(step) });
  const { steps, losses, ever } = newest.series!;
  expect([steps.at(-1), losses.at(-1), ever.at(-1)]).toEqual([step, 10 / step, litBy(step)]);
}

describe("the step on display", () => {
  it("is consistent: light, counts and the end of the loss line change together", async () => {
    const time = new Time();
    time.newest.receive(census(0));
    time.newest.receive(beatOf(1));
    expectDisplayed(time, 1);
    for (const step of [2, 3, 4]) {
      await pass(60);
      time.newest.receive(beatOf(step));
      time.newest.tick(performance.now());
      // Steps that are not on display yet are counted, but not shown.
      expectDisplayed(time, 1);
    }
    await pass(700);
    time.newest.tick(performance.now());
    expectDisplayed(time, 4);
    // The loss line ends with the step on display even if its point has been thinned out since.
    for (let step = 5; step <= 6_000; step++) time.newest.receive(beatOf(step));
    expectDisplayed(time, 4);
  });

  it("comes from a replay, not from the newest frame", async () => {
    const time = new Time();
    time.status = status(100, "finished");
    time.play(10);
    time.newest.receive(census(10));
    expect(time.requestedStep).toBe(10);
    time.newest.receive(beatOf(11));
    await pass(100);
    for (const step of [12, 13, 14]) time.newest.receive(beatOf(step));
    expect([time.requestedStep, time.counters?.step, time.beat?.step]).toEqual([11, 11, 11]);
  });

  it("stays while the server of a replay is away", async () => {
    const time = new Time();
    time.status = status(100, "finished");
    time.newest.receive(census(100));
    time.newest.lightFromRecord(lightOfBeat(beatOf(100), 0, 0), null);
    expect(time.counters).toMatchObject({ step: 100, ever: V });
    time.play(0);
    expect(time.reconnects).toBe(1);
    await pass(5_000);
    time.newest.tick(performance.now());
    expect(time.displayedStep).toBe(100);
    expect(time.counters).toMatchObject({ step: 100, ever: V });
    expect(time.touchCounts?.everTouched).toBe(V);
    // It continues when the server is back.
    time.newest.receive(census(0));
    expect([time.displayedStep, time.beat, time.counters?.ever]).toEqual([0, null, 0]);
    time.newest.receive(beatOf(1));
    expect([time.displayedStep, time.counters?.ever]).toEqual([1, 2]);
  });
});

describe("the gradients of the rows", () => {
  it("are known for the step on display, even from the record", () => {
    const time = new Time();
    time.newest.receive(census(11));
    const beat = lightOfBeat(beatOf(11), 0, 0);
    time.newest.lightFromRecord(beat, null);
    const known = () => [...time.touchCounts!.gradient].map((norm) => norm || null);
    expect(known()).toEqual([1, null, null, 4, null, null, null, null]);
    // Again after a jump that ends at the same step.
    time.play(11);
    time.newest.receive(census(11));
    expect(known()).toEqual([1, null, null, 4, null, null, null, null]);
  });

  it("are known too if the record is read before the counts arrive", () => {
    const time = new Time();
    time.newest.lightFromRecord(lightOfBeat(beatOf(11), 0, 0), null);
    time.newest.receive(census(11));
    expect(time.touchCounts!.gradient[3]).toBe(4);
    expect(time.counters).toMatchObject({ step: 11, ever: V });
  });

  it("are unknown from a step before the row was last lit", () => {
    const time = new Time();
    time.newest.receive(census(12));
    time.newest.lightFromRecord(lightOfBeat(beatOf(11), 0, 0), null);
    expect(time.touchCounts!.gradient[3]).toBe(4);
    expect(time.touchCounts!.gradient[0]).toBeNaN();
  });
});

describe("a single training step", () => {
  it("returns a paused picture to live, and is shown in two beats", async () => {
    const time = new Time();
    time.status = status(20, "paused");
    time.newest.receive(census(20));
    time.loadTokens();
    time.seek(7);
    await pass();
    expect(time.displayedStep).toBe(7);
    expect(await time.trainOneStep(() => Promise.resolve(true))).toBe(true);
    expect([time.paused, time.displayedStep]).toEqual([false, 20]);
    time.newest.receive(beatOf(21));
    expect([time.displayedStep, time.beatPhase]).toEqual([21, "light"]);
    // The second beat follows, whenever the map arrives.
    await pass(LIGHT_DURATION);
    time.newest.tick(performance.now());
    expect(time.beatPhase).toBe("move");
  });

  it("is shown in two beats even if training was running", async () => {
    const time = new Time();
    time.status = status(20);
    time.newest.receive(census(20));
    await time.trainOneStep(() => Promise.resolve(true));
    time.newest.receive(beatOf(21));
    expect(time.beatPhase).toBe("light");
  });

  it("waits for the live stream after a replay", async () => {
    const time = new Time({ from: 3 });
    time.status = status(20, "paused");
    let asked = false;
    const trained = time.trainOneStep(() => {
      asked = true;
      return Promise.resolve(true);
    });
    await pass(10);
    expect([time.replay, asked]).toEqual([null, false]);
    time.newest.receive(census(20));
    await trained;
    time.newest.receive(beatOf(21));
    expect([asked, time.displayedStep, time.beatPhase]).toEqual([true, 21, "light"]);
  });

  it("leaves running training unchanged if refused", async () => {
    const time = new Time();
    time.status = status(20);
    time.newest.receive(census(20));
    await time.trainOneStep(() => Promise.resolve(false));
    time.newest.receive(beatOf(21));
    expect(time.beatPhase).toBeNull();
  });
});

describe("a step named by a link", () => {
  it("is the last one if the run ended before it", async () => {
    const time = new Time({ at: 99_999 });
    time.status = status(5_000, "finished");
    time.newest.receive(census(5_000));
    time.loadTokens();
    await pass();
    expect([time.displayedStep, time.timePosition.at]).toEqual([5_000, 5_000]);
    expect([time.clamped, time.awaited, time.missing]).toEqual([true, false, false]);
    time.seek(12);
    expect(time.clamped).toBe(false);
  });

  it("is awaited if training has not reached it, with the newest step on display", async () => {
    const time = new Time({ at: 23 });
    time.status = status(20);
    time.newest.receive(census(20));
    time.loadTokens();
    await pass();
    expect([time.awaited, time.paused, time.cursor]).toEqual([true, false, null]);
    expect([time.displayedStep, time.requestedStep, time.settledStep]).toEqual([20, null, null]);
    expect(time.timePosition.at).toBe(23);
    for (const step of [21, 22, 23, 24]) {
      await pass(800);
      time.newest.receive(beatOf(step));
      time.look();
    }
    await pass();
    expect([time.awaited, time.paused, time.displayedStep]).toEqual([false, true, 23]);
  });

  it("is the last one if the run ends before it", async () => {
    const time = new Time({ at: 23 });
    time.status = status(20);
    time.newest.receive(census(20));
    time.loadTokens();
    time.status = status(21, "interrupted");
    time.look();
    await pass();
    expect([time.clamped, time.displayedStep]).toEqual([true, 21]);
  });
});
