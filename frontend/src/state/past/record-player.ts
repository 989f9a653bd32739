/**
 * Plays a run's record: delivers the beats of its steps, and the maps, at the requested speed. The data it
 * fetches never changes, and is the same for all viewers.
 */

import type { Beat } from "../../api/beat-frames";
import type { Census, Frame, LayoutMethod } from "../../api/frames";
import { lightOfBeat } from "../../model/light";
import type { TouchCounts } from "../../model/touch-counts";
import { buildCounters } from "../shown-step.svelte";
import type { PastStep, PastStore } from "./past-store";
import type { Prefetch } from "./prefetch";
import { rangeOfStep } from "./step-ranges";

/** Interval between checks for due steps, in ms. */
const TICK = 60;
/** Limit on the steps delivered at once. */
const MAX_STEPS = 64;

interface Playing {
  /** Steps a second. */
  speed: number;
  /** Stops the player. */
  signal: AbortSignal;
  /** Returns the layout method of the view. */
  method: () => LayoutMethod;
  /** Returns the newest step of the run. */
  newest: () => number;
  receive: (frame: Frame) => void;
}

/** Play from a step until the newest one has been delivered, or the player is stopped. Throws `ApiError`. */
export async function playRecord(
  past: Pick<PastStore, "fetchStep" | "fetchBeats" | "heldAt"> & {
    readonly prefetch: Pick<Prefetch, "fetchSteps">;
  },
  from: number,
  { speed, signal, method, newest, receive }: Playing,
): Promise<void> {
  /** Return whether it was stopped; a function, because that may happen during a fetch. */
  const isOver = () => signal.aborted;
  const start = await past.fetchStep(from, method());
  if (isOver()) return;
  stateAt(start).forEach(receive);
  let shown = mapKey(start.layouts);
  let district = start.districts;
  let step = from;
  /** When the step `from` was due, as of `performance.now()`. */
  let begun = performance.now();
  let beats: Beat[] = [];
  while (step < newest()) {
    await new Promise((done) => setTimeout(done, TICK));
    const due = from + Math.floor(((performance.now() - begun) * speed) / 1_000);
    const to = past.heldAt(Math.min(due, newest(), step + MAX_STEPS));
    if (to <= step) continue;
    const before = performance.now();
    while (beats.at(-1) === undefined || beats.at(-1)!.step < to) {
      const next = (beats.at(-1)?.step ?? step) + 1;
      const more = await past.fetchBeats(next);
      if (isOver()) return;
      if (!more.length) break;
      beats.push(...more);
    }
    const reached = await past.fetchStep(to, method());
    if (isOver()) return;
    // Network delays are not made up for: the steps continue at their speed.
    begun += performance.now() - before;
    if (due > to) begun += ((due - to) * 1_000) / speed;
    const played = beats.filter((beat) => beat.step <= to);
    beats = beats.slice(played.length);
    if (mapKey(reached.layouts) !== shown) {
      shown = mapKey(reached.layouts);
      Object.values(reached.layouts).forEach(receive);
    }
    if (reached.districts && reached.districts !== district)
      receive((district = reached.districts));
    played.forEach(receive);
    step = to;
    past.prefetch.fetchSteps([rangeOfStep(step).last + 1], method());
  }
}

/** Fetch a step as its frames, with its light of `duration` ms and its counters. Throws `ApiError`. */
export async function fetchState(
  past: Pick<PastStore, "fetchStep">,
  step: number,
  method: LayoutMethod,
  duration: number,
) {
  const state = await past.fetchStep(step, method);
  const light = state.beat && lightOfBeat(state.beat, duration, null);
  return { frames: stateAt(state), light, counters: buildCounters(state.touchCounts) };
}

/** Return the frames that represent the state at a step. */
function stateAt({ touchCounts, layouts, districts, beat }: PastStep): Frame[] {
  return [
    censusOf(touchCounts, beat?.time ?? 0),
    ...Object.values(layouts),
    ...(districts ? [districts] : []),
  ];
}

function censusOf(
  { attempt, step, vocabulary, touches, lastLit }: TouchCounts,
  time: number,
): Census {
  return { kind: "census", attempt, step, time, vocabulary, touches, lastLit };
}

function mapKey(layouts: PastStep["layouts"]): string {
  return Object.values(layouts)
    .map(({ method, attempt, step }) => `${method} ${attempt} ${step}`)
    .join();
}
