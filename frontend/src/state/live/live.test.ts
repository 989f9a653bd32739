import { describe, expect, it } from "vitest";
import { LossSeries, smoothed } from "./loss-series";
import type { Beat } from "../../api/beat-frames";
import { BeatScheduler, SHORTEST_INTERVAL } from "./beat-scheduler";
import type { Frame } from "../../api/frames";
import { FrameCounts } from "./frame-counts";

const beatAt = (step: number, firstStep = step, attempt = 1) =>
  ({ kind: "beat", attempt, step, firstStep }) as Frame;
const census = (step: number, attempt = 1) => ({ kind: "census", attempt, step }) as Frame;

describe("frame counts", () => {
  it("count the steps of beats, and the gap between two connections", () => {
    const frameCounts = new FrameCounts();
    for (const frame of [census(4), beatAt(5), beatAt(9, 6), census(12), beatAt(13)])
      frameCounts.receive(frame);
    expect(frameCounts.frames.beat).toBe(3);
    expect(frameCounts.ranges).toEqual([
      { attempt: 1, first: 5, last: 9, beats: 2 },
      { attempt: 1, first: 13, last: 13, beats: 1 },
    ]);
    expect(frameCounts.gaps.map(({ first, last }) => [first, last])).toEqual([[1, 4], [10, 12]]); // prettier-ignore
    expect(frameCounts.lost).toBe(0);
  });

  it("list the steps still missing from the record", () => {
    const frameCounts = new FrameCounts();
    frameCounts.markFetched(4);
    frameCounts.receive(census(4));
    expect(frameCounts.hasGaps).toBe(false);
    frameCounts.receive(beatAt(5));
    frameCounts.receive(census(9));
    frameCounts.markFetched(8);
    expect(frameCounts.hasGaps).toBe(true);
    frameCounts.markFetched(9);
    expect(frameCounts.hasGaps).toBe(false);
  });

  it("detect a lost step", () => {
    const frameCounts = new FrameCounts();
    for (const frame of [census(0), beatAt(1), beatAt(4)]) frameCounts.receive(frame);
    expect(frameCounts.lost).toBe(2);
    expect(frameCounts.ranges.map(({ first, last }) => [first, last])).toEqual([[1, 1], [4, 4]]); // prettier-ignore
  });

  it("report nothing missing after a new attempt or a jump in time", () => {
    const frameCounts = new FrameCounts();
    for (const frame of [census(0), beatAt(1), census(9), census(5, 2), beatAt(6, 6, 2)])
      frameCounts.receive(frame);
    frameCounts.markFetched(5);
    expect(frameCounts.hasGaps).toBe(false);
    frameCounts.breakSequence();
    frameCounts.receive(census(300));
    expect(frameCounts.gaps.length).toBe(1);
    expect(frameCounts.lost).toBe(0);
  });
});

const beat = (step: number) => ({ kind: "beat", step }) as Beat;

describe("the beat scheduler", () => {
  it("shows the first beat at once", () => {
    expect(new BeatScheduler(700).offer(beat(1), 0)?.step).toBe(1);
  });

  it("never shows more than three a second, even for a shorter interval", () => {
    const beats = new BeatScheduler(1);
    const shown: number[] = [];
    for (let now = 0; now < 10_000; now += 5) {
      if (beats.offer(beat(now), now)) shown.push(now);
    }
    expect(shown.length).toBeLessThanOrEqual(30);
    expect(shown.length).toBeGreaterThan(25);
    for (let i = 1; i < shown.length; i++) {
      expect(shown[i]! - shown[i - 1]!).toBeGreaterThanOrEqual(SHORTEST_INTERVAL);
    }
  });

  it("shows the newest of several early beats, once it is due", () => {
    const beats = new BeatScheduler(500);
    beats.offer(beat(1), 0);
    expect(beats.offer(beat(2), 100)).toBeNull();
    expect(beats.offer(beat(3), 490)).toBeNull();
    expect(beats.wait(490)).toBe(585);
    expect(beats.tick(1_074)).toBeNull();
    expect(beats.tick(1_075)?.step).toBe(3);
    expect(beats.tick(2_000)).toBeNull();
  });

  it("shows one every two seconds in a replay with reduced motion", () => {
    const beats = new BeatScheduler(700);
    beats.calm = true;
    expect(beats.offer(beat(1), 0)?.step).toBe(1);
    expect(beats.offer(beat(2), 1_600)).toBeNull();
    expect(beats.tick(2_599)).toBeNull();
    expect(beats.tick(2_600)?.step).toBe(2);
    expect(beats.interval).toBe(2_000);
    beats.calm = false;
    expect(beats.interval).toBe(700);
  });

  it("shows a fresh beat when one is due", () => {
    const beats = new BeatScheduler(700);
    expect(beats.offer(beat(1), 0)?.step).toBe(1);
    expect(beats.offer(beat(2), 400)).toBeNull();
    // The next one is likely at 800.
    expect(beats.tick(700)).toBeNull();
    expect(beats.offer(beat(3), 800)?.step).toBe(3);
    // One that no other follows is not held back for long.
    expect(beats.offer(beat(4), 1_200)).toBeNull();
    expect(beats.wait(1_200)).toBe(600);
    expect(beats.tick(1_800)?.step).toBe(4);
  });

  it("shows every step of a slow run", () => {
    const beats = new BeatScheduler(400);
    for (let n = 0; n < 5; n++) expect(beats.offer(beat(n), n * 1_000)?.step).toBe(n);
  });
});

const point = (step: number, attempt = 1, loss = step) => ({
  attempt,
  step,
  loss,
  norms: [1, 2],
  ever: step,
});

describe("the loss series", () => {
  it("stays small however long the run is", () => {
    const history = new LossSeries(100);
    for (let step = 1; step <= 10_000; step++) history.addPoint(point(step));
    const { steps } = history.chartData();
    expect(steps.length).toBeLessThanOrEqual(100);
    expect(steps.at(-1)).toBeGreaterThan(9_800);
    expect(new Set(steps).size).toBe(steps.length);
  });

  it("continues after the server's record", () => {
    const history = new LossSeries();
    history.load([point(21), point(11), point(1)]);
    for (const step of [20, 21, 22, 30, 31]) history.addPoint(point(step));
    expect(history.chartData().steps).toEqual([1, 11, 21, 22, 30, 31]);
  });

  it("keeps points that arrive while the record loads", () => {
    const history = new LossSeries();
    for (const step of [3, 4, 5]) history.addPoint(point(step));
    history.load([point(1), point(2), point(3)]);
    expect(history.chartData().steps).toEqual([1, 2, 3, 4, 5]);
    history.load([point(1), point(2, 2)]);
    expect(history.chartData().steps).toEqual([1, 2]);
  });

  it("keeps a newer attempt that starts while the record loads", () => {
    const history = new LossSeries();
    for (const step of [8, 9]) history.addPoint(point(step));
    for (const step of [6, 7]) history.addPoint(point(step, 2, 60));
    history.load([1, 2, 3, 4, 5, 6, 7, 8].map((step) => point(step)));
    expect(history.chartData().steps).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(history.chartData().losses.slice(-2)).toEqual([60, 60]);
    history.load([1, 6, 7, 8].map((step) => point(step, 2)));
    expect(history.chartData().steps).toEqual([1, 6, 7, 8]);
  });

  it("keeps outliers however long the run is", () => {
    const odd = new Map([[77, 50], [4_321, -50], [9_000, NaN]]); // prettier-ignore
    const history = new LossSeries(100);
    history.load([point(1, 1, 3), point(33, 1, 40), point(60, 1, -40)]);
    for (let step = 61; step <= 10_000; step++) {
      history.addPoint(point(step, 1, odd.get(step) ?? 2 + Math.sin(step)));
    }
    const { steps, losses } = history.chartData();
    expect(steps.length).toBeLessThanOrEqual(100);
    for (const step of [77, 4_321, 9_000]) expect(steps).toContain(step);
    expect(Math.max(...losses.filter(Number.isFinite))).toBe(50);
    expect(Math.min(...losses.filter(Number.isFinite))).toBe(-50);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
  });

  it("replaces the tail of an old attempt", () => {
    const history = new LossSeries();
    for (let step = 1; step <= 9; step++) history.addPoint(point(step));
    history.addPoint(point(6, 2, 60));
    expect(history.chartData().losses).toEqual([1, 2, 3, 4, 5, 60]);
  });

  it("has norms by layer", () => {
    const history = new LossSeries();
    history.addPoint(point(1));
    history.addPoint({ ...point(2), norms: [3] });
    expect(history.chartData().norms).toEqual([
      [1, 3],
      [2, NaN],
    ]);
  });
});

describe("smoothing", () => {
  it("keeps lines straight, and skips values that are not finite", () => {
    expect(smoothed([1, 2, 3, 4, 5], 2)).toEqual([1, 2, 3, 4, 5]);
    expect(smoothed([1, NaN, 3], 1)[1]).toBe(2);
  });
});
