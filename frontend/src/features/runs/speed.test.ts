import { describe, expect, it } from "vitest";
import type { StepSummary } from "../../api/rest-types";
import { measureSpeed } from "./speed";

const step = (number: number, time: number, seconds = 0.02) =>
  ({ step: number, time, step_seconds: seconds, observe_seconds: 0.001 }) as StepSummary;

describe("measureSpeed", () => {
  it("uses the wall clock", () => {
    const speed = measureSpeed([step(11, 100), step(12, 100.5), step(13, 101, 9)], 512)!;
    expect(speed).toEqual({
      over: 3,
      stepsPerSecond: 2,
      tokensPerSecond: 1024,
      trainingSeconds: 0.02,
      observingSeconds: 0.001,
    });
  });

  it("is null where it cannot be measured", () => {
    expect(measureSpeed([], 512)).toBeNull();
    expect(measureSpeed([step(1, 5)], 512)).toMatchObject({
      stepsPerSecond: null,
      tokensPerSecond: null,
      over: 1,
    });
    expect(measureSpeed([step(1, 5), step(2, 6)], 0)).toMatchObject({
      stepsPerSecond: 1,
      tokensPerSecond: null,
    });
  });
});
