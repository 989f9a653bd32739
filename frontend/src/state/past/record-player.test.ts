import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Beat } from "../../api/beat-frames";
import type { Census, Frame, Layout } from "../../api/frames";
import { TouchCounts } from "../../model/touch-counts";
import type { PastStep } from "./past-store";
import { playRecord } from "./record-player";
import { rangeOfStep } from "./step-ranges";

const MAP_EVERY = 10;
let newest: number;
let received: Frame[];
let fetched: number;

beforeEach(() => {
  vi.useFakeTimers();
  newest = 200;
  received = [];
  fetched = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

const beat = (step: number) => ({ kind: "beat", attempt: 1, step, firstStep: step }) as Beat;

/** Return a record with a map every ten steps, whose responses take `delay` ms. */
const recordOf = (delay = 0) => ({
  async fetchStep(step: number): Promise<PastStep> {
    await new Promise((done) => setTimeout(done, delay));
    const touchCounts = new TouchCounts(3);
    touchCounts.step = step;
    const made = step - (step % MAP_EVERY);
    const umap = { kind: "layout", method: "umap", attempt: 1, step: made } as Layout;
    return { attempt: 1, step, beat: beat(step), touchCounts, layouts: { umap } } as PastStep;
  },
  async fetchBeats(step: number): Promise<Beat[]> {
    fetched += 1;
    await new Promise((done) => setTimeout(done, delay));
    const last = Math.min(rangeOfStep(step).last, newest);
    return Array.from({ length: last - step + 1 }, (_, i) => beat(step + i));
  },
  prefetch: { fetchSteps: () => undefined },
  heldAt: (step: number) => step,
});

function play(from: number, speed: number, delay?: number) {
  const abort = new AbortController();
  const over = playRecord(recordOf(delay), from, {
    speed,
    signal: abort.signal,
    method: () => "umap",
    newest: () => newest,
    receive: (frame) => received.push(frame),
  });
  let ended = false;
  void over.then(() => (ended = true));
  return { abort, ended: () => ended };
}

const steps = () => received.flatMap((frame) => (frame.kind === "beat" ? frame.step : []));

describe("a playing record", () => {
  it("starts with the state at its step, and continues with every step at the requested speed", async () => {
    const { ended } = play(20, 50);
    await vi.advanceTimersByTimeAsync(1_000);
    const [first, map] = received as [Census, Layout];
    expect(first).toMatchObject({ kind: "census", step: 20 });
    expect(map).toMatchObject({ kind: "layout", step: 20 });
    expect(steps().length).toBeGreaterThan(40);
    expect(steps().length).toBeLessThanOrEqual(50);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(steps()).toEqual(Array.from({ length: 180 }, (_, i) => 21 + i));
    expect(ended()).toBe(true);
  });

  it("delivers each map before the beats of its step", async () => {
    play(0, 20);
    await vi.advanceTimersByTimeAsync(3_000);
    const maps = received.flatMap((frame, i) =>
      frame.kind === "layout" ? [[frame.step, received[i + 1]] as const] : [],
    );
    expect(maps.length).toBeGreaterThan(4);
    for (const [, next] of maps.slice(1)) expect(next).toMatchObject({ kind: "beat" });
    expect(maps.map(([made]) => made)).toEqual(
      maps.map(([made]) => made).toSorted((a, b) => a - b),
    );
  });

  it("does not make up for network delays", async () => {
    play(0, 50, 2_000);
    await vi.advanceTimersByTimeAsync(6_500);
    expect(steps().length).toBeLessThanOrEqual(64);
    const each = steps();
    expect(each).toEqual(each.map((_, i) => i + 1));
  });

  it("fetches each range once, and ends when stopped", async () => {
    const { abort, ended } = play(0, 1_000);
    await vi.advanceTimersByTimeAsync(500);
    expect(fetched).toBe(4);
    const before = received.length;
    abort.abort();
    newest = 1_000;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(received.length).toBe(before);
    expect(ended()).toBe(true);
  });
});
