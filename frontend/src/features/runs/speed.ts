/** The speed of a run, measured over its newest steps. Pure. */

import type { StepSummary } from "../../api/rest-types";

interface Speed {
  /** Number of steps measured over. */
  over: number;
  /** Wall-clock steps per second; null if the time span is not positive. */
  stepsPerSecond: number | null;
  tokensPerSecond: number | null;
  /** Median seconds to train a step, and to observe and record it. */
  trainingSeconds: number;
  observingSeconds: number;
}

/** Return the speed over these steps; null where there are none. */
export function measureSpeed(steps: StepSummary[], batchTokens: number): Speed | null {
  const [first, last] = [steps[0], steps.at(-1)];
  if (!first || !last) return null;
  const seconds = last.time - first.time;
  const pace = seconds > 0 ? (last.step - first.step) / seconds : null;
  return {
    over: last.step - first.step + 1,
    stepsPerSecond: pace,
    tokensPerSecond: pace === null || !batchTokens ? null : pace * batchTokens,
    trainingSeconds: median(steps.map((one) => one.step_seconds)),
    observingSeconds: median(steps.map((one) => one.observe_seconds)),
  };
}

function median(values: (number | null)[]): number {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  return sorted.length ? sorted[Math.floor(sorted.length / 2)]! : NaN;
}
