/**
 * The heights of the skyline and the layout under them, refreshed at a calm pace while it is on
 * screen.
 */

import type { Layout } from "../../api/frames";
import { askNumbers } from "../../api/npy";
import { runPath } from "../../api/rest";
import { Refusal, type Failure } from "../../api/failure";
import { heightsOf, isAsked, type Asked } from "./height-measures";
import type { Height } from "../../model/view-options";
import { GRADIENT, TOUCHES } from "../../model/touch-counts";
import type { LiveRun } from "../run/live-run.svelte";

/** Least time in ms between two updates of a changing skyline. */
const CALM = 3_000;
const LOOK_AGAIN = 200;
/** Steps over which the distance a row moved is measured. */
export const WAY = 100;

export interface Raised {
  height: Height;
  /** By token id; NaN where not known. */
  heights: Float32Array;
  layout: Layout;
  /** Step that the heights belong to. */
  step: number;
  /** Start step of a distance; null for other measures. */
  from: number | null;
  /** Set when some numbers are upper bounds, because merged steps were counted together. */
  about: boolean;
}

export class Elevation {
  /** The heights shown; null until the first ones arrive. */
  now = $state.raw<Raised | null>(null);
  /** Why there are no newer heights. */
  problem = $state.raw<Failure | null>(null);

  private readonly abort = new AbortController();
  private readonly timer: ReturnType<typeof setInterval>;
  private seen = "";
  private foundAt = -Infinity;
  private finding = false;

  constructor(
    private readonly run: LiveRun,
    private readonly height: Height,
    private readonly layout: () => Layout | null,
  ) {
    this.timer = setInterval(() => this.look(), LOOK_AGAIN);
    this.look();
  }

  close() {
    clearInterval(this.timer);
    this.abort.abort();
  }

  private look() {
    const { run } = this;
    const layout = this.layout();
    if (this.finding || !layout || performance.now() - this.foundAt < CALM) return;
    const shown = run.at ?? run.counters?.step ?? run.ledger?.step ?? 0;
    const seen = `${shown} ${run.ledger?.attempt} ${layout.method} ${layout.attempt} ${layout.step}`;
    if (seen === this.seen) return;
    this.foundAt = performance.now();
    void this.find(layout, shown, seen);
  }

  private async find(layout: Layout, shown: number, seen: string) {
    const { run, height } = this;
    this.finding = true;
    try {
      const asked = isAsked(height) ? await this.ask(height, shown) : null;
      const { vocabulary, ledger } = run;
      if (this.abort.signal.aborted || !vocabulary) return;
      const bit = height === "touches" ? TOUCHES : height === "gradient" ? GRADIENT : 0;
      this.now = {
        height,
        heights: heightsOf(height, { vocabulary, ledger, layout, asked: asked?.numbers ?? null }),
        layout,
        step: asked?.step ?? (height === "trust" ? layout.step : (ledger?.step ?? shown)),
        from: asked?.from ?? null,
        about: bit > 0 && (ledger?.about.some((unsure) => (unsure & bit) > 0) ?? false),
      };
      this.problem = null;
      this.seen = seen;
    } catch (error) {
      if (this.abort.signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      this.problem = error.failure;
    } finally {
      this.finding = false;
    }
  }

  private async ask(height: Asked, shown: number) {
    const way = `displacements?nearest=true&from=${Math.max(0, shown - WAY)}&to=${shown}&format=npy`;
    const path = height === "norm" ? `norms?step=${shown}&format=npy` : way;
    const { numbers, headers } = await askNumbers(runPath(this.run.id, path), this.abort.signal);
    const said = (name: string) => {
      const word = headers.get(`x-lamplighter-${name}`);
      return word === null ? null : Number(word);
    };
    return { numbers, step: said("step") ?? shown, from: said("from") };
  }
}
