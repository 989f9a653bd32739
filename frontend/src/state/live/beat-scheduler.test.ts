import { describe, expect, it } from "vitest";
import type { Beat } from "../../api/beat-frames";
import { BeatScheduler, SHORTEST_INTERVAL } from "./beat-scheduler";

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
    expect(beats.wait(490)).toBe(10);
    expect(beats.tick(499)).toBeNull();
    expect(beats.tick(500)?.step).toBe(3);
    expect(beats.tick(2_000)).toBeNull();
  });

  it("shows one every two seconds in a replay with reduced motion", () => {
    const beats = new BeatScheduler(700);
    beats.calm = true;
    expect(beats.offer(beat(1), 0)?.step).toBe(1);
    expect(beats.offer(beat(2), 1_999)).toBeNull();
    expect(beats.tick(2_000)?.step).toBe(2);
    expect(beats.interval).toBe(2_000);
    beats.calm = false;
    expect(beats.interval).toBe(700);
  });

  it("makes up for a late beat if the stream keeps the interval itself", () => {
    const beats = new BeatScheduler(700);
    beats.paced = true;
    expect(beats.offer(beat(1), 250)?.step).toBe(1);
    expect(beats.offer(beat(2), 700)?.step).toBe(2);
    expect(beats.offer(beat(3), 900)).toBeNull();
    expect(beats.tick(700 + SHORTEST_INTERVAL)?.step).toBe(3);
  });

  it("shows every step of a slow run", () => {
    const beats = new BeatScheduler(400);
    for (let n = 0; n < 5; n++) expect(beats.offer(beat(n), n * 1_000)?.step).toBe(n);
  });
});
