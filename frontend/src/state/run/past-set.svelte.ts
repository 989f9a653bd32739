/**
 * The set of layouts for the past of a run: the live ones, or the smoothed ones of a run that has ended. Such
 * a run also rests on the last smoothed layouts, so that nothing jumps on the way to its past.
 */

import type { Status } from "../../api/rest-types";
import { hasEnded } from "../../model/phase";
import type { ViewState } from "../../model/view/view-state";
import type { PastStore } from "../past/past-store";
import type { Layouts } from "../shown-step.svelte";

export class PastSet {
  /** The requested set; null: the default. */
  wanted: ViewState["set"] = $state(null);
  /** Set if the smoothed ones are in use. */
  smoothed = $state(false);
  /**
   * The last smoothed layouts, on which the run rests; empty while they load, null if the last live ones are
   * shown.
   */
  rest = $state.raw<Layouts | null>(null);

  /** Identity of the last fetch, so that an older one does not replace its result. */
  private asked: object | null = null;

  constructor(private readonly status: () => Status | null) {}

  /**
   * Return whether the smoothed set is the default: the run has ended, and the smoothed maps cover all its
   * steps.
   */
  get byDefault(): boolean {
    const { phase, smoothed = null, step = 0 } = this.status() ?? {};
    return hasEnded(phase) && smoothed !== null && smoothed >= step;
  }

  /** Choose the set from the request and the available ones; return whether it changed. */
  choose(past: PastStore | null): boolean {
    const smoothed =
      (this.wanted ? this.wanted === "again" : this.byDefault) && this.status()?.smoothed != null;
    if (smoothed === this.smoothed) return false;
    this.smoothed = smoothed;
    past?.invalidate(smoothed);
    void this.fetchRest(past);
    return true;
  }

  /** Fetch the layouts to rest on. `hold`: show none until they are there. */
  async fetchRest(past: PastStore | null, hold = false) {
    const asked = (this.asked = {});
    if (!past || !this.smoothed) {
      this.rest = null;
      return;
    }
    if (hold) this.rest = {};
    try {
      const step = this.status()?.step ?? 0;
      const [linear, umap] = await Promise.all([
        past.fetchLayouts(step, "linear"),
        past.fetchLayouts(step, "umap"),
      ]);
      if (asked === this.asked) this.rest = { ...linear, ...umap };
    } catch {
      // The live map is good enough.
      if (asked === this.asked) this.rest = null;
    }
  }
}
