import { describe, expect, it } from "vitest";
import type { Pulse } from "../../api/frames";
import { BeatScheduler, SHORTEST_INTERVAL } from "./beat-scheduler";

const step = (n: number, first = n) =>
  ({ kind: "pulse", step: n, firstStep: first, merged: first !== n }) as Pulse;

describe("the beat scheduler", () => {
  it("lights the first step at once", () => {
    expect(new BeatScheduler(700).offer(step(1), 0)?.step).toBe(1);
  });

  it("never beats more than three times a second, whatever is asked for", () => {
    const beats = new BeatScheduler(1);
    const lit: number[] = [];
    for (let now = 0; now < 10_000; now += 5) {
      if (beats.offer(step(now), now)) lit.push(now);
      if (beats.tick(now)) lit.push(now);
    }
    expect(lit.length).toBeLessThanOrEqual(30);
    expect(lit.length).toBeGreaterThan(25);
    for (let i = 1; i < lit.length; i++) {
      expect(lit[i]! - lit[i - 1]!).toBeGreaterThanOrEqual(SHORTEST_INTERVAL);
    }
  });

  it("lights a fresh step when one is due, not one that waited", () => {
    const beats = new BeatScheduler(500);
    beats.offer(step(1), 0);
    expect(beats.offer(step(2), 490)).toBeNull();
    expect(beats.tick(505)).toBeNull();
    expect(beats.offer(step(3), 510)?.step).toBe(3);
    expect(beats.tick(2_000)).toBeNull();
  });

  it("waits for the next step of a steady run rather than light one that is old", () => {
    const beats = new BeatScheduler(500);
    beats.offer(step(1), 0);
    beats.offer(step(2), 200);
    beats.offer(step(3), 400);
    for (let now = 500; now < 600; now += 16) expect(beats.tick(now)).toBeNull();
    expect(beats.offer(step(4), 600)?.step).toBe(4);
  });

  it("lights the last step when no other follows", () => {
    const beats = new BeatScheduler(500);
    beats.offer(step(1), 0);
    beats.offer(step(2), 100);
    expect(beats.tick(400)).toBeNull();
    expect(beats.tick(501)?.step).toBe(2);
    expect(beats.tick(2_000)).toBeNull();
  });

  it("never shows several steps as one", () => {
    const beats = new BeatScheduler(500);
    expect(beats.offer(step(9, 3), 0)).toBeNull();
    expect(beats.tick(5_000)).toBeNull();
  });

  it("lights every step of a slow run", () => {
    const beats = new BeatScheduler(400);
    for (let n = 0; n < 5; n++) expect(beats.offer(step(n), n * 1_000)?.step).toBe(n);
  });
});
