/** How fast a run goes, from its newest steps. Pure. */

import type { StepRecord } from "../wire/rest";

export interface Speed {
  /** How many steps it was measured over. */
  over: number;
  /** Steps a second by the clock; null where there are not two steps. */
  pace: number | null;
  tokens: number | null;
  /** Seconds that training a step takes, and observing and recording it: medians. */
  training: number;
  observing: number;
}

/** null where there is no step. */
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
