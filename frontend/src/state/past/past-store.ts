/**
 * The store of a run's past steps, as recorded by the server: fetched on demand and cached. A step is
 * assembled from the census before it, the beats after that, and its map.
 */

import type { Beat } from "../../api/beat-frames";
import type { Census, Districts, Frame, Layout, LayoutMethod } from "../../api/frames";
import { requestJson, runPath } from "../../api/rest";
import { getSource } from "../../api/source";
import { ApiError } from "../../api/failure";
import { FrameCache } from "./frame-cache";
import { MapIndex, type MapRefs, type MapSteps } from "./map-index";
import { Prefetch } from "./prefetch";
import { StepRequests, type MapRequest } from "./step-requests";
import { TouchCounts } from "../../model/touch-counts";
import type { Layouts } from "../shown-step.svelte";
import {
  middleOfRange,
  lastAtOrBefore,
  RANGE_STEPS,
  rangeOfStep,
  type StepRef,
} from "./step-ranges";

/** Byte budget of the frame cache. */
const MAX_BYTES = 64 << 20;

/** Everything needed to show one step. */
export interface PastStep {
  attempt: number;
  step: number;
  /** The step's beat; null for the state before the first step. */
  beat: Beat | null;
  touchCounts: TouchCounts;
  /** The map that belongs to the step (`mapAt`); empty if there is none by then. */
  layouts: Layouts;
  /** Steps of the view's own maps: the last at or before the step, and the next. */
  mapSteps: MapSteps;
  districts: Districts | null;
}

export class PastStore {
  /** Steps that can be shown, ascending; null: all. */
  private readonly held = getSource().packed?.steps ?? null;
  readonly index: MapIndex;
  readonly prefetch: Prefetch;
  private readonly cache = new FrameCache(MAX_BYTES, () => {
    // The index is out of date: the map was thinned out since, or its attempt was superseded.
    this.index.drop();
  });
  private readonly requests: StepRequests;

  /** Create an empty store. `newest` returns the newest step and attempt of the run. */
  constructor(
    private readonly run: string,
    private readonly vocabulary: number,
    newest: () => StepRef,
    private readonly signal: AbortSignal,
  ) {
    this.index = new MapIndex(run, signal);
    this.requests = new StepRequests(run, vocabulary, newest);
    this.prefetch = new Prefetch(this.cache, this.index, this.requests, MAX_BYTES / 2);
    signal.addEventListener("abort", () => {
      this.prefetch.endSkim();
      this.cache.close();
    });
  }

  /**
   * Invalidate everything cached by step: another attempt took over steps, or the other set of maps is used.
   */
  invalidate(reprojected: boolean) {
    this.index.chooseSet(reprojected);
    this.requests.renewLight();
  }

  /** Stop prefetching and drop the index, while the past is not on display. */
  suspend() {
    this.prefetch.suspend();
    this.index.drop();
  }

  /**
   * Fetch everything needed to show a step, with the map of a view. Throws `ApiError` with the server's
   * reason.
   */
  async fetchStep(step: number, method: LayoutMethod): Promise<PastStep> {
    const [frames, layouts, districts, mapSteps] = await Promise.all([
      this.fetchFrames(step),
      this.fetchLayouts(step, method),
      this.fetchDistricts(step),
      this.index.mapSteps(step, method),
    ]);
    const [census, ...beats] = frames as [Census, ...Beat[]];
    const touchCounts = new TouchCounts(this.vocabulary);
    touchCounts.loadCensus(census);
    for (const one of beats) if (one.step <= step) touchCounts.apply(one);
    const beat = beats.find((one) => one.step === step) ?? null;
    return {
      attempt: touchCounts.attempt,
      step,
      beat,
      touchCounts,
      layouts,
      mapSteps,
      districts,
    };
  }

  /** Fetch the beats from a step to the end of its range, or to the newest step. Throws `ApiError`. */
  async fetchBeats(step: number): Promise<Beat[]> {
    const [, ...beats] = (await this.fetchFrames(step)) as [Census, ...Beat[]];
    return beats.filter((beat) => beat.step >= step);
  }

  /** Return the last step that can be shown at or before another one; the first step if that is later. */
  heldAt(step: number): number {
    return this.held ? this.held[Math.max(0, lastAtOrBefore(this.held, step))]! : step;
  }

  /** Return the step `by` positions after another, among those that can be shown. */
  heldBeyond(step: number, by: number): number {
    const { held } = this;
    if (!held) return step + by;
    const index = Math.max(0, lastAtOrBefore(held, step)) + by;
    return held[Math.max(0, Math.min(index, held.length - 1))]!;
  }

  /** Return whether the limit on parallel requests is reached. */
  get busy(): boolean {
    return this.cache.busy;
  }

  /** Wait until any requested frames arrive. */
  nextArrival(): Promise<void> {
    return this.cache.nextArrival();
  }

  /**
   * Return the fully cached step nearest to `step`, on the way there from `from`; `step` itself if cached,
   * null if none is.
   */
  async nearestCached(step: number, from: number, method: LayoutMethod): Promise<number | null> {
    const refs = await this.index.loadRefs();
    const back = step < from;
    let { first } = rangeOfStep(step);
    let candidate = step;
    while (back ? candidate < from : candidate > from) {
      if (this.isCached(refs, candidate, method)) return candidate;
      const middle = middleOfRange(candidate);
      const between = back
        ? candidate < middle && middle < from
        : from < middle && middle < candidate;
      if (between && this.isCached(refs, middle, method)) return middle;
      first += back ? RANGE_STEPS : -RANGE_STEPS;
      candidate = back ? first : first + RANGE_STEPS - 1;
    }
    return null;
  }

  private isCached(refs: MapRefs, step: number, method: LayoutMethod): boolean {
    // Most steps fail here, and a drag asks for thousands.
    const frames = this.cache.get(this.requests.light(step)[0]);
    if (!frames || !includesStep(frames, step)) return false;
    const [, ...others] = this.requests.requestsOf(refs, step, method);
    return others.every(([key]) => this.cache.has(key));
  }

  /** Fetch the map that belongs to a step; empty if there is none by then. */
  async fetchLayouts(step: number, method: LayoutMethod): Promise<Layouts> {
    const found = await this.index.findIn((refs) =>
      Promise.all(this.requests.layouts(refs, step, method).map((one) => this.fetchLayout(one))),
    );
    return Object.fromEntries(found.map((layout) => [layout.method, layout]));
  }

  private async fetchLayout(request: MapRequest): Promise<Layout> {
    const [key, path, made] = request;
    const frames = (await this.cache.fetch([key, path])) as Layout[];
    const layout = frames.find(({ step }) => step === made);
    if (layout) return layout;
    // The map was thinned out since the index was read.
    this.cache.delete(key);
    this.index.drop();
    throw new ApiError(404, { code: "noMapAt", step: made });
  }

  /** Fetch the census before the range of a step, and the beats of the range. */
  private async fetchFrames(step: number): Promise<Frame[]> {
    const request = this.requests.light(step);
    const cached = this.cache.get(request[0]);
    // The newest range was incomplete when it was fetched.
    if (cached && !includesStep(cached, step)) this.cache.delete(request[0]);
    const frames = await this.cache.fetch(request);
    if (frames[0]?.kind === "census" && includesStep(frames, step)) return frames;
    // For a step that does not exist, the server's error names the existing ones.
    await requestJson(runPath(this.run, `steps/${step}`), { signal: this.signal });
    throw new ApiError(404, { code: "noStep", step });
  }

  private fetchDistricts(step: number): Promise<Districts | null> {
    return this.index.findIn(async (refs) => {
      const [request] = this.requests.districts(refs, step);
      return request ? ((await this.cache.fetch(request))[0] as Districts) : null;
    });
  }
}

/** Return whether a range was complete enough, when fetched, to include a step. */
function includesStep(frames: Frame[], step: number): boolean {
  return step === 0 || (frames.at(-1)?.step ?? 0) >= step;
}
