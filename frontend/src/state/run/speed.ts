/** The speed of a run, measured over its newest steps. Pure. */

import type { StepRecord } from "../../api/rest";

export interface Speed {
  /** Steps measured over. */
  over: number;
  /** Wall-clock steps a second; null with fewer than two steps. */
  pace: number | null;
  tokens: number | null;
  /** Median seconds to train a step, and to observe and record it. */
  training: number;
  observing: number;
}

/** Measure the speed over these steps; return null where there are none. */
export function speedOf(steps: StepRecord[], batchTokens: number): Speed | null {
  const [first, last] = [steps[0], steps.at(-1)];
  if (!first || !last) return null;
  const seconds = last.time - first.time;
  const pace = seconds > 0 ? (last.step - first.step) / seconds : null;
  return {
    over: last.step - first.step + 1,
    pace,
    tokens: pace === null || !batchTokens ? null : pace * batchTokens,
    training: median(steps.map((one) => one.step_seconds)),
    observing: median(steps.map((one) => one.observe_seconds)),
  };
}

function median(values: number[]): number {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  return sorted.length ? sorted[Math.floor(sorted.length / 2)]! : NaN;
}
