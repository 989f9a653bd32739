/**
 * The set of layouts on which the past of a run is shown: those made live, or the smoothed ones of a
 * run that is over. Such a run also rests on the last of these, so that nothing jumps when its past
 * is looked at.
 */

import type { Status } from "../../api/rest-types";
import { hasEnded } from "../../model/phase";
import type { ViewState } from "../../model/view/view-state";
import type { PastStore } from "../past/past-store";
import type { Layouts } from "../shown-step.svelte";

export class PastSet {
  /** The set that is asked for; null: the default. */
  wanted: ViewState["set"] = $state(null);
  /** Set if it is the smoothed one. */
  smoothed = $state(false);
  /**
   * The last smoothed layouts, on which the run rests; none while they are on their way, null if the
   * last ones made live are shown.
   */
  rest = $state.raw<Layouts | null>(null);

  /** Identity of the last fetch, so that an older one does not replace its result. */
  private asked: object | null = null;

  constructor(private readonly status: () => Status | null) {}

  /** Return whether it is smoothed by default: the run is over, and the smoothed map is of all its steps. */
  get byDefault(): boolean {
    const { phase, smoothed = null, step = 0 } = this.status() ?? {};
    return hasEnded(phase) && smoothed !== null && smoothed >= step;
  }

  /** Choose the set by what is asked for and what there is; return whether it changed. */
  choose(past: PastStore | null): boolean {
    const smoothed =
      (this.wanted ? this.wanted === "again" : this.byDefault) && this.status()?.smoothed != null;
    if (smoothed === this.smoothed) return false;
    this.smoothed = smoothed;
    past?.invalidate(smoothed);
    void this.fetchRest(past);
    return true;
  }

  /** Fetch the layouts to rest on. `hold`: show none before they are there. */
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
      // The map made live is as good.
      if (asked === this.asked) this.rest = null;
    }
  }
}
