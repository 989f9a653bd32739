/**
 * The heights of the skyline and the layout under them, refreshed at a calm pace while it is on
 * screen.
 */

import type { Layout } from "../../api/frames";
import { requestArray } from "../../api/npy";
import { runPath } from "../../api/rest";
import type { Vocabulary } from "../../api/vocabulary";
import { computeHeights, isServerMeasure, type ServerMeasure } from "./height-measures";
import type { HeightMeasure } from "../../model/view-options";
import { GRADIENT_BIT, TOUCHES_BIT } from "../../model/touch-counts";
import type { LiveRun } from "../run/live-run.svelte";
import { PolledQuery } from "../query/polled-query.svelte";
import type { Question } from "../query/query.svelte";
import { fetchDisplacements } from "../tokens/displacements";

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

export class SkylineHeights extends PolledQuery<HeightField> {
  /** A changing skyline is updated at a calm pace. */
  protected readonly pollInterval = 3_000;
  protected override readonly lookInterval = 200;

  constructor(
    private readonly run: LiveRun,
    private readonly height: HeightMeasure,
    private readonly layout: () => Layout | null,
  ) {
    super();
    this.poll();
  }

  protected question(): Question<HeightField> | null {
    const { run } = this;
    const layout = this.layout();
    const { vocabulary } = run;
    if (!layout || !vocabulary) return null;
    const step = run.settledStep ?? run.displayedStep ?? 0;
    const made = `${layout.method} ${layout.attempt} ${layout.step}`;
    return {
      key: `${step} ${run.touchCounts?.attempt} ${made}`,
      fetch: (signal) => this.fetchHeights(vocabulary, layout, step, signal),
    };
  }

  private async fetchHeights(
    vocabulary: Vocabulary,
    layout: Layout,
    step: number,
    signal: AbortSignal,
  ): Promise<HeightField> {
    const { run, height } = this;
    const found = isServerMeasure(height) ? await this.fetchValues(height, step, signal) : null;
    const { touchCounts } = run;
    const bit = height === "touches" ? TOUCHES_BIT : height === "gradient" ? GRADIENT_BIT : 0;
    return {
      height,
      heights: computeHeights(height, {
        vocabulary,
        touchCounts,
        layout,
        serverValues: found?.values ?? null,
      }),
      layout,
      step: found?.step ?? (height === "trust" ? layout.step : (touchCounts?.step ?? step)),
      from: found?.from ?? null,
      upperBounds:
        bit > 0 && (touchCounts?.upperBounds.some((unsure) => (unsure & bit) > 0) ?? false),
    };
  }

  private async fetchValues(height: ServerMeasure, step: number, signal: AbortSignal) {
    const { id } = this.run;
    if (height === "moved") {
      const { from, to, distances } = await fetchDisplacements(id, step, MOVED_SPAN, signal);
      return { values: distances, step: to, from };
    }
    const path = runPath(id, `norms?step=${step}&format=npy`);
    const { numbers, step: at } = await requestArray(path, signal);
    return { values: numbers, step: at ?? step, from: null };
  }
}
