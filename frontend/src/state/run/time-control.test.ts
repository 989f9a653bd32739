import { describe, expect, it, afterEach, vi } from "vitest";
import type { Status } from "../../api/rest-types";
import { FrameClock } from "../frame-clock";
import { NewestStep } from "../live/newest-step.svelte";
import type { PastStore } from "../past/past-store";
import type { TimePosition } from "./shown-run.svelte";
import { TimeControl } from "./time-control.svelte";
import { Requests } from "./requests.svelte";
import { paceOptions } from "./pace-options";

const keys = (...given: Parameters<typeof paceOptions>) =>
  paceOptions(...given).paces.map((p) => p.key);

describe("the pace", () => {
  it("is the one in the status", () => {
    expect(paceOptions(null).now).toBe("full");
    expect(paceOptions({ pace_steps_per_second: null }).now).toBe("full");
    expect(paceOptions({ pace_steps_per_second: 4 }).now).toBe("4");
  });

  it("may have been set elsewhere", () => {
    const status = { pace_steps_per_second: 2.5 };
    expect(paceOptions(status).now).toBe("2.5");
    expect(keys(status)).toEqual(["full", "10", "4", "2.5", "2", "1"]);
  });

  it("stays the chosen one during single-step training", () => {
    const status = { pace: "single", pace_steps_per_second: 4 } as const;
    expect(paceOptions(status).now).toBe("4");
    expect(keys(status)).toEqual(["full", "10", "4", "2", "1"]);
  });
});

afterEach(() => vi.unstubAllGlobals());

function answerWith(status: number, body: unknown) {
  vi.stubGlobal("fetch", () => Promise.resolve(Response.json(body, { status })));
}

describe("a request to the trainer", () => {
  it("keeps the server's reason until the next one if the queue is full", async () => {
    const requests = new Requests("run");
    const detail = "the disk is full: make room on it, then ask again.";
    answerWith(507, { title: "Insufficient Storage", status: 507, detail });
    expect(await requests.trySending({ kind: "pause" })).toBe(false);
    expect(requests.problem).toEqual({ code: "said", reason: detail });
    expect(requests.pending.size).toBe(0);
    answerWith(202, { request: "s1:1" });
    expect(await requests.trySending({ kind: "pause" })).toBe(true);
    expect(requests.problem).toBeNull();
    expect([...requests.pending]).toEqual(["s1:1"]);
    requests.acknowledge("s1:1");
  });

  it("keeps its cost if it must be confirmed, and differs from one refused for good", async () => {
    const requests = new Requests("run");
    const detail = "this run was imported. To continue it takes 1 CPU thread.";
    const problem = { title: "Conflict", status: 409, detail };
    answerWith(409, { ...problem, errors: [{ field: "confirmed", message: detail }] });
    expect(await requests.trySending({ kind: "continue", steps: 0 })).toBe(false);
    expect(requests.problem).toEqual({ code: "unconfirmed", reason: detail });
    answerWith(409, { ...problem, errors: [{ field: "steps", message: detail }] });
    expect(await requests.trySending({ kind: "continue", steps: 0 })).toBe(false);
    expect(requests.problem).toEqual({ code: "said", reason: detail });
  });
});

/** A run without a server, with a known status. */
class SilentRun extends TimeControl {
  readonly stream = { open: false };
  protected readonly newest = new NewestStep(() => this.frameContext, {
    onMap: () => undefined,
    onBeat: () => undefined,
    onCensus: () => undefined,
  });
  protected reconnect() {}

  /** Open a record, with a step on display. */
  open(past: PastStore, step: number) {
    this.past = past;
    this.status = { phase: "finished", step, steps: step } as Status;
    this.newest.counters = { step, ever: 5 };
  }
}

function runOf(status: Partial<Status>): SilentRun {
  const run = new SilentRun("run", new FrameClock());
  run.status = { phase: "finished", step: 100, steps: 100, smoothed: 100, ...status } as Status;
  return run;
}

/** Return the set of maps for a run at a position, and its word in the address. */
function shownAt(status: Partial<Status>, position: Partial<TimePosition>) {
  const run = runOf(status);
  run.goTo(position);
  return [run.showsReprojected, run.timePosition.set];
}

describe("a step that the server does not send", () => {
  /** A record that never answers. */
  const record = {
    fetchStep: () => new Promise(() => undefined),
    heldAt: (step: number) => step,
    suspend: () => undefined,
  } as unknown as PastStore;

  it("is requested at once, and need not be waited for", () => {
    const run = new SilentRun("run", new FrameClock());
    run.open(record, 100);
    run.seek(40);
    expect([run.requestedStep, run.displayedStep, run.paused]).toEqual([40, 100, true]);
    run.seek(60);
    expect(run.requestedStep).toBe(60);
    run.stopWaiting();
    expect([run.requestedStep, run.displayedStep, run.paused]).toEqual([100, 100, true]);
  });
});

describe("the set of maps", () => {
  it("is the smoothed one of a run that has ended, played or paused, unless the live one is named", () => {
    expect(shownAt({}, { from: 0 })).toEqual([true, null]);
    expect(shownAt({}, { at: 40 })).toEqual([true, null]);
    expect(shownAt({}, { at: 40, set: "live" })).toEqual([false, "live"]);
    expect(shownAt({}, { at: 40, set: "again" })).toEqual([true, "again"]);
    // A live picture has no other map.
    expect(shownAt({}, {})).toEqual([false, null]);
  });

  it("is the live one of a run that continues, or continued since it was smoothed", () => {
    expect(shownAt({ phase: "running" }, { at: 40 })).toEqual([false, null]);
    expect(shownAt({ step: 150 }, { at: 40 })).toEqual([false, null]);
    expect(shownAt({ step: 150 }, { at: 40, set: "again" })).toEqual([true, "again"]);
  });

  it("is the live one if there is no other, even if a link names one", () => {
    expect(shownAt({ smoothed: null }, { from: 0 })).toEqual([false, null]);
    expect(shownAt({ smoothed: null }, { at: 40, set: "again" })).toEqual([false, "again"]);
  });

  it("is in the address only if it is not the default", () => {
    const run = runOf({});
    run.goTo({ at: 40 });
    run.setReprojected(false);
    expect([run.showsReprojected, run.timePosition.set]).toEqual([false, "live"]);
    run.setReprojected(true);
    expect([run.showsReprojected, run.timePosition.set]).toEqual([true, null]);
    const longer = runOf({ step: 150 });
    longer.goTo({ at: 40 });
    longer.setReprojected(true);
    expect([longer.showsReprojected, longer.timePosition.set]).toEqual([true, "again"]);
    longer.setReprojected(false);
    expect(longer.timePosition.set).toBeNull();
  });
});
