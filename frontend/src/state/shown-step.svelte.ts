/** The state behind a picture of one step. */

import type { Districts, Layout, LayoutMethod } from "../api/frames";
import type { TouchCounts } from "../model/touch-counts";
import type { StepLight } from "../model/light";

/** Count of lit rows as of one step. */
export interface Counters {
  step: number;
  ever: number;
}

/** Beat of a step shown in two: first the light and the gradients, then the move. Null: both at once. */
type BeatPhase = "light" | "move" | null;

/** Duration of the light before the move, in ms. */
export const LIGHT_DURATION = 1_300;

export type Layouts = Partial<Record<LayoutMethod, Layout>>;

/** Return the views of a map, the requested one first. */
export function viewOrder(method: LayoutMethod): [LayoutMethod, LayoutMethod] {
  return method === "umap" ? ["umap", "linear"] : ["linear", "umap"];
}

/** Return the layout of a view, or of the other one if it is missing. */
export function layoutIn(layouts: Layouts, wanted: LayoutMethod): Layout | null {
  const [own, other] = viewOrder(wanted);
  return layouts[own] ?? layouts[other] ?? null;
}

export class ShownStep {
  layouts = $state.raw<Layouts>({});
  /** Clusters of the space; null if none were computed. */
  districts = $state.raw<Districts | null>(null);
  beat = $state.raw<StepLight | null>(null);
  /** Counts as of the step on display; null if not known. */
  counters = $state.raw<Counters | null>(null);
  touchCounts = $state.raw<TouchCounts | null>(null);
  beatPhase = $state<BeatPhase>(null);

  /** Return the step on display, which every number on the screen belongs to; null before the first. */
  get step(): number | null {
    return this.beat?.step ?? this.counters?.step ?? null;
  }

  /** Copy another state, to show it here. */
  copyFrom(other: ShownStep) {
    this.layouts = other.layouts;
    this.districts = other.districts;
    this.beat = other.beat;
    this.counters = other.counters;
    this.touchCounts = other.touchCounts;
  }
}

export function buildCounters(touchCounts: TouchCounts): Counters {
  const { step, everTouched: ever } = touchCounts;
  return { step, ever };
}
