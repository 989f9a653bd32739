import { describe, expect, it } from "vitest";
import { NEVER, type Census, type Pulse } from "../api/frames";
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
