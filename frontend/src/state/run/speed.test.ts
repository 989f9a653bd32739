import { describe, expect, it } from "vitest";
import type { StepRecord } from "../../api/rest";
import { speedOf } from "./speed";

const step = (number: number, time: number, seconds = 0.02) =>
  ({ step: number, time, step_seconds: seconds, observe_seconds: 0.001 }) as StepRecord;

describe("speedOf", () => {
  it("goes by the clock", () => {
    const speed = speedOf([step(11, 100), step(12, 100.5), step(13, 101, 9)], 512)!;
    expect(speed).toEqual({ over: 3, pace: 2, tokens: 1024, training: 0.02, observing: 0.001 });
  });

  it("says nothing of what cannot be measured", () => {
    expect(speedOf([], 512)).toBeNull();
    expect(speedOf([step(1, 5)], 512)).toMatchObject({ pace: null, tokens: null, over: 1 });
    expect(speedOf([step(1, 5), step(2, 6)], 0)).toMatchObject({ pace: 1, tokens: null });
  });
});
