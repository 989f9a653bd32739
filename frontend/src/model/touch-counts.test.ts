import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { ClassBeat } from "../api/class-frames";
import { decodeEnvelope } from "../api/envelope";
import { NEVER, type Census, type Frame, type Pulse } from "../api/frames";
import { GRADIENT_BIT, TouchCounts, LIT_BIT, TOUCHES_BIT } from "./touch-counts";

const pulse = (step: number, ids: number[], first = step, counts = ids.map(() => 1)) =>
  ({
    attempt: 1,
    step,
    firstStep: first,
    vocabulary: 5,
    batchIds: Uint32Array.from(ids),
    batchCounts: Uint32Array.from(counts),
    gradientIds: Uint32Array.from(ids),
    gradientNorms: Float32Array.from(ids, (id) => id / 2),
  }) as Pulse;

const census = {
  attempt: 1,
  step: 10,
  vocabulary: 5,
  touches: Uint32Array.of(3, 0, 1, 0, 9),
  lastLit: Uint32Array.of(9, NEVER, 2, NEVER, 10),
} as Census;

describe("touch counts", () => {
  it("goes on from a census", () => {
    const touchCounts = new TouchCounts(5);
    touchCounts.loadCensus(census);
    touchCounts.applyPulse(pulse(11, [0, 3]));
    expect([...touchCounts.touches]).toEqual([4, 0, 1, 1, 9]);
    expect([...touchCounts.lastLit]).toEqual([11, NEVER, 2, 11, 10]);
    expect(touchCounts.gradient[3]).toBe(1.5);
    expect(touchCounts.everTouched).toBe(4);
  });

  it("knows that nobody recorded what steps read, once there are steps", () => {
    const touchCounts = new TouchCounts(5);
    expect(touchCounts.unread).toBe(false);
    touchCounts.applyPulse(pulse(1, []));
    expect(touchCounts.unread).toBe(true);
    touchCounts.applyPulse(pulse(2, [3]));
    expect(touchCounts.unread).toBe(false);
  });

  it("counts no step twice", () => {
    const touchCounts = new TouchCounts(5);
    touchCounts.loadCensus(census);
    touchCounts.applyPulse(pulse(10, [1]));
    expect(touchCounts.touches[1]).toBe(0);
  });

  it("counts a row of a merged pulse at most once a step and once an occurrence", () => {
    const touchCounts = new TouchCounts(5);
    touchCounts.applyPulse(pulse(4, [0, 1], 1, [2, 90]));
    expect([...touchCounts.touches]).toEqual([2, 4, 0, 0, 0]);
  });

  it("says what is only an upper bound", () => {
    const touchCounts = new TouchCounts(5);
    touchCounts.applyPulse(pulse(4, [0, 1], 1, [1, 90]));
    expect([...touchCounts.upperBounds]).toEqual([
      LIT_BIT | GRADIENT_BIT,
      TOUCHES_BIT | LIT_BIT | GRADIENT_BIT,
      0,
      0,
      0,
    ]);
    touchCounts.applyPulse(pulse(5, [1]));
    expect(touchCounts.upperBounds[1]).toBe(TOUCHES_BIT);
    touchCounts.loadCensus({ ...census, step: 6 });
    expect([...touchCounts.upperBounds]).toEqual([GRADIENT_BIT, 0, 0, 0, 0]);
  });

  it("knows what was lit in the last steps", () => {
    const touchCounts = new TouchCounts(5, 3);
    for (let step = 1; step <= 5; step++) touchCounts.applyPulse(pulse(step, [step - 1]));
    expect(touchCounts.litRecently()).toEqual({ rows: 3, steps: 3, about: false });
  });

  it("ignores frames of another vocabulary", () => {
    const touchCounts = new TouchCounts(4);
    touchCounts.loadCensus(census);
    touchCounts.applyPulse(pulse(11, [4]));
    expect(touchCounts.everTouched).toBe(0);
  });
});

describe("the beats of a class", () => {
  const parts = (name: string) => {
    const file = readFileSync(new URL(`../../../tests/golden/${name}.bin`, import.meta.url));
    return decodeEnvelope(new Uint8Array(file).buffer) as Promise<Frame[]>;
  };

  it("leave the counts that all pulses leave, and no gradient that is not so", async () => {
    const whole = new TouchCounts(24);
    const beaten = new TouchCounts(24);
    const beats = await parts("envelope-beats");
    let known = 0;
    for (const frame of await parts("envelope-pulses")) {
      if (frame.kind === "census") whole.loadCensus(frame);
      else if (frame.kind === "pulse") whole.applyPulse(frame);
      if (beats[0]?.step !== frame.step) continue;
      const beat = beats.shift()!;
      if (beat.kind === "census") beaten.loadCensus(beat);
      else if (beat.kind === "beat") beaten.applyBeat(beat);
      expect(beaten.step).toBe(whole.step);
      expect(beaten.touches).toEqual(whole.touches);
      expect(beaten.lastLit).toEqual(whole.lastLit);
      expect(beaten.everTouched).toBe(whole.everTouched);
      expect(beaten.litRecently()).toEqual(whole.litRecently());
      beaten.gradient.forEach((norm, id) => {
        if (Number.isNaN(norm)) return;
        expect(norm).toBe(whole.gradient[id]);
        known += 1;
      });
    }
    expect(beats).toEqual([]);
    expect(known).toBeGreaterThan(400);
    expect(beaten.upperBounds.some(Boolean)).toBe(false);
  });

  it("count once, and only rows of this vocabulary", async () => {
    const counts = new TouchCounts(24);
    const beat = (await parts("envelope-beats"))[1] as ClassBeat;
    counts.applyBeat(beat);
    const touches = counts.touches.slice();
    counts.applyBeat(beat);
    expect(counts.touches).toEqual(touches);
    const others = new TouchCounts(23);
    others.applyBeat(beat);
    expect(others.everTouched).toBe(0);
  });
});
