/** Ranges of steps that are fetched together, and the choice of the map for a step. Pure. */

import type { LayoutMethod } from "../../api/frames";
import { viewOrder } from "../shown-step.svelte";

/** Steps whose lights are fetched together: a census, and the pulses after it. */
export const RANGE_STEPS = 64;

/** A step that an item was made for, and its attempt. */
export interface StepRef {
  attempt: number;
  step: number;
}

/**
 * Return the range that contains a step: 1 to 64, 65 to 128, ...; the first one also contains the state
 * before the first step.
 */
export function rangeOfStep(step: number): { first: number; last: number } {
  const first = Math.floor(Math.max(0, step - 1) / RANGE_STEPS) * RANGE_STEPS + 1;
  return { first, last: first + RANGE_STEPS - 1 };
}

/** Return the middle step of the range that contains a step. */
export function middleOfRange(step: number): number {
  return rangeOfStep(step).first + RANGE_STEPS / 2;
}

/**
 * Return the index of the last of `refs` (ascending by step) at or before `step`; -1 if there is
 * none.
 */
export function lastRefAt(refs: readonly StepRef[], step: number): number {
  return lastIndex(refs.length, (index) => refs[index]!.step <= step);
}

/** Return the index of the last of some steps (ascending) at or before another; -1 if there is none. */
export function lastAtOrBefore(steps: readonly number[], step: number): number {
  return lastIndex(steps.length, (index) => steps[index]! <= step);
}

/**
 * Return the last index for which `holds`, which is true for all earlier indices too; -1 if there is none.
 */
function lastIndex(length: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * Return the map shown at a step: the last of the requested view at or before it, or else of the other view.
 * Never a later one: null if there is none. `refs` are ascending by step.
 */
export function mapAt(
  refs: Record<LayoutMethod, readonly StepRef[]>,
  step: number,
  wanted: LayoutMethod,
): { method: LayoutMethod; ref: StepRef } | null {
  for (const method of viewOrder(wanted)) {
    const ref = refs[method][lastRefAt(refs[method], step)];
    if (ref) return { method, ref };
  }
  return null;
}

/** Sort by step, and keep the last item of each step. */
export function sortByStep(refs: readonly StepRef[]): StepRef[] {
  const byStep = new Map(refs.map(({ attempt, step }) => [step, { attempt, step }]));
  return [...byStep.values()].sort((a, b) => a.step - b.step);
}

/**
 * Return the steps likely to be requested after `step`, most likely first. `moved` is the length of the last
 * move: a scrub continues in its direction; otherwise the next step is one forward or back.
 */
export function likelySteps(step: number, moved: number, scrubbing: boolean): number[] {
  if (scrubbing && moved) return [1, 2, 3].map((times) => step + times * moved);
  const direction = moved < 0 ? -1 : 1;
  return [step + direction, step - direction, step + 2 * direction, step + RANGE_STEPS * direction];
}

/** Return at most 64 steps spread over a run for a scrub to pass, far apart first. */
export function spreadSteps(newest: number): number[] {
  const bits = 6;
  const steps = Array.from({ length: 1 << bits }, (_, i) => {
    let turned = 0;
    for (let bit = 0; bit < bits; bit++) turned |= ((i >> bit) & 1) << (bits - 1 - bit);
    return middleOfRange(Math.round(((turned + 0.5) / (1 << bits)) * newest));
  });
  return [...new Set(steps)].filter((step) => step <= newest);
}
