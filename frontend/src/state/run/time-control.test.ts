import { describe, expect, it } from "vitest";
import type { Status } from "../../api/rest-types";
import { FrameClock } from "../frame-clock";
import { NewestStep } from "../live/newest-step.svelte";
import type { PastStore } from "../past/past-store";
import type { TimePosition } from "./shown-run.svelte";
import { TimeControl } from "./time-control.svelte";

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
