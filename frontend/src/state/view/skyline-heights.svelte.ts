/**
 * The heights of the skyline and the layout under them, refreshed at a calm pace while it is on
 * screen.
 */

import type { Layout } from "../../api/frames";
import { requestArray } from "../../api/npy";
import { runPath } from "../../api/rest";
import { ApiError, type Failure } from "../../api/failure";
import { computeHeights, isServerMeasure, type ServerMeasure } from "./height-measures";
import type { HeightMeasure } from "../../model/view-options";
import { GRADIENT_BIT, TOUCHES_BIT } from "../../model/touch-counts";
import type { LiveRun } from "../run/live-run.svelte";

/** Least time in ms between two updates of a changing skyline. */
const REFRESH_INTERVAL = 3_000;
const POLL_INTERVAL = 200;
/** Steps over which the distance a row moved is measured. */
const MOVED_SPAN = 100;

interface HeightField {
  height: HeightMeasure;
  /** By token id; NaN where not known. */
  heights: Float32Array;
  layout: Layout;
  /** Step that the heights belong to. */
  step: number;
  /** Start step of a distance; null for other measures. */
  from: number | null;
  /** Set when some numbers are upper bounds, because merged steps were counted together. */
  upperBounds: boolean;
}

export class SkylineHeights {
  /** The heights shown; null until the first ones arrive. */
  current = $state.raw<HeightField | null>(null);
  /** Why there are no newer heights. */
  problem = $state.raw<Failure | null>(null);

  private readonly abort = new AbortController();
  private readonly timer: ReturnType<typeof setInterval>;
  private lastKey = "";
  private refreshedAt = -Infinity;
  private refreshing = false;

  constructor(
    private readonly run: LiveRun,
    private readonly height: HeightMeasure,
    private readonly layout: () => Layout | null,
  ) {
    this.timer = setInterval(() => this.poll(), POLL_INTERVAL);
    this.poll();
  }

  close() {
    clearInterval(this.timer);
    this.abort.abort();
  }

  private poll() {
    const { run } = this;
    const layout = this.layout();
    if (this.refreshing || !layout || performance.now() - this.refreshedAt < REFRESH_INTERVAL)
      return;
    const step = run.settledStep ?? run.counters?.step ?? run.touchCounts?.step ?? 0;
    const key = `${step} ${run.touchCounts?.attempt} ${layout.method} ${layout.attempt} ${layout.step}`;
    if (key === this.lastKey) return;
    this.refreshedAt = performance.now();
    void this.refresh(layout, step, key);
  }

  private async refresh(layout: Layout, step: number, key: string) {
    const { run, height } = this;
    this.refreshing = true;
    try {
      const response = isServerMeasure(height) ? await this.fetchValues(height, step) : null;
      const { vocabulary, touchCounts } = run;
      if (this.abort.signal.aborted || !vocabulary) return;
      const bit = height === "touches" ? TOUCHES_BIT : height === "gradient" ? GRADIENT_BIT : 0;
      this.current = {
        height,
        heights: computeHeights(height, {
          vocabulary,
          touchCounts,
          layout,
          serverValues: response?.numbers ?? null,
        }),
        layout,
        step: response?.step ?? (height === "trust" ? layout.step : (touchCounts?.step ?? step)),
        from: response?.from ?? null,
        upperBounds:
          bit > 0 && (touchCounts?.upperBounds.some((unsure) => (unsure & bit) > 0) ?? false),
      };
      this.problem = null;
      this.lastKey = key;
    } catch (error) {
      if (this.abort.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.problem = error.failure;
    } finally {
      this.refreshing = false;
    }
  }

  private async fetchValues(height: ServerMeasure, step: number) {
    const displacements = `displacements?nearest=true&from=${Math.max(0, step - MOVED_SPAN)}&to=${step}&format=npy`;
    const path = height === "norm" ? `norms?step=${step}&format=npy` : displacements;
    const { numbers, headers } = await requestArray(runPath(this.run.id, path), this.abort.signal);
    const header = (name: string) => {
      const word = headers.get(`x-lamplighter-${name}`);
      return word === null ? null : Number(word);
    };
    return { numbers, step: header("step") ?? step, from: header("from") };
  }
}
