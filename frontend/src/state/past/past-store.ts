/**
 * The store of a run's past steps, as the server recorded them: fetched on demand and cached.
 *
 * The light of 64 steps is fetched at once, as a census and the pulses after it; so are the maps of
 * those steps, unless they are large. Districts are fetched one by one. Prefetching uses few
 * requests, and they are aborted as soon as another step becomes likelier.
 */

import type { ClassBeat } from "../../api/class-frames";
import type { Census, Districts, Frame, Layout, LayoutMethod, Pulse } from "../../api/frames";
import { requestJson, runPath } from "../../api/rest";
import { getSource } from "../../api/source";
import type { Answer } from "../../api/rest-types";
import { ApiError } from "../../api/failure";
import { FrameCache, type FrameRequest } from "./frame-cache";
import { TouchCounts } from "../../model/touch-counts";
import type { Layouts } from "../shown-step.svelte";
import {
  spreadSteps,
  sortByStep,
  middleOfRange,
  lastAtOrBefore,
  lastRefAt,
  mapAt,
  RANGE_STEPS,
  rangeOfStep,
  type StepRef,
} from "./step-ranges";

/** Byte budget of the frame cache. */
const MAX_BYTES = 64 << 20;
/**
 * Parallel requests for steps that a scrub may pass, and their share of the byte budget; the rest
 * is for the steps actually shown.
 */
const MAX_SKIM_REQUESTS = 3;
const MAX_SKIM_BYTES = MAX_BYTES / 2;
/**
 * Vocabulary size up to which the maps of a whole range are fetched together: many small responses
 * cost more than they hold.
 */
const SMALL_VOCABULARY = 8_192;

/** A step's light: a pulse, or where not all steps are kept a beat, which counts those in between. */
export type LightFrame = Pulse | ClassBeat;

/** Everything that can be shown of one step. */
export interface PastStep {
  attempt: number;
  step: number;
  /** The step's light; null for the state before the first step. */
  light: LightFrame | null;
  touchCounts: TouchCounts;
  /** The map that belongs to the step (`mapAt`); empty if none is as old. */
  layouts: Layouts;
  /** Steps of the view's own maps: the last at or before the step, and the next. */
  mapSteps: MapSteps;
  districts: Districts | null;
}

/** Steps that a view's map was made for, of those around another; null: none. */
export interface MapSteps {
  at: number | null;
  next: number | null;
}

interface PastIndex {
  layouts: Record<LayoutMethod, StepRef[]>;
  districts: StepRef[];
}

/** A request for a map, which may come with others, and the step it was made for. */
type MapRequest = [...FrameRequest, made: number];

export class PastStore {
  /** Steps that can be shown, ascending; null: all. */
  private readonly held = getSource().packed?.steps ?? null;
  private readonly cache = new FrameCache(MAX_BYTES, () => {
    // The index is out of date: the map was thinned out since, or its attempt was superseded.
    this.index = null;
  });
  private index: Promise<PastIndex> | null = null;
  /** Part of the cache keys; a new value invalidates the cached light. */
  private generation = 0;
  /** Set to show the reprojected maps instead of those made live. */
  private reprojected = false;
  /**
   * Identity of the skim in progress, so that a newer one can tell itself from an older; null:
   * none.
   */
  private skimming: object | null = null;

  /** Open an empty store. `newest` returns the newest step and attempt of the run. */
  constructor(
    private readonly run: string,
    private readonly vocabulary: number,
    private readonly newest: () => StepRef,
    private readonly signal: AbortSignal,
  ) {
    signal.addEventListener("abort", () => {
      this.endSkim();
      this.cache.close();
    });
  }

  /**
   * Invalidate what is cached by step: another attempt took steps, or the other set of maps is to
   * be shown.
   */
  invalidate(reprojected: boolean) {
    this.reprojected = reprojected;
    this.index = null;
    this.generation += 1;
  }

  /** Invalidate the index after a lost connection: the maps made meanwhile are missing from it. */
  invalidateIndex() {
    this.index = null;
  }

  /** Stop prefetching and drop the index, while nobody looks at the past. */
  suspend() {
    this.endSkim();
    this.cache.abortSpeculative(new Set());
    this.index = null;
  }

  /** Add a new map, or new districts, to the index if it is loaded. */
  addToIndex(frame: Layout | Districts) {
    this.ifIndexed(({ layouts, districts }) => {
      const refs = frame.kind === "layout" ? layouts[frame.method] : districts;
      const { attempt, step } = frame;
      if ((refs.at(-1)?.step ?? -1) < step) refs.push({ attempt, step });
    });
  }

  /**
   * Fetch all that is shown of a step, with the map of a view. Throws `ApiError` with the server's
   * reason.
   */
  async fetchStep(step: number, method: LayoutMethod): Promise<PastStep> {
    const [frames, layouts, districts, mapSteps] = await Promise.all([
      this.fetchLight(step),
      this.fetchLayouts(step, method),
      this.fetchDistricts(step),
      this.mapSteps(step, method),
    ]);
    const [census, ...lights] = frames as [Census, ...LightFrame[]];
    const touchCounts = new TouchCounts(this.vocabulary);
    touchCounts.loadCensus(census);
    for (const one of lights) if (one.step <= step) touchCounts.apply(one);
    const light = lights.find((one) => one.step === step) ?? null;
    return {
      attempt: touchCounts.attempt,
      step,
      light,
      touchCounts,
      layouts,
      mapSteps,
      districts,
    };
  }

  /** Fetch the lights from a step to the end of its range, or to the newest step. Throws `ApiError`. */
  async fetchLights(step: number): Promise<LightFrame[]> {
    const [, ...lights] = (await this.fetchLight(step)) as [Census, ...LightFrame[]];
    return lights.filter((light) => light.step >= step);
  }

  /** Return the last step that can be shown at or before another one; the first one where that is later. */
  heldAt(step: number): number {
    return this.held ? this.held[Math.max(0, lastAtOrBefore(this.held, step))]! : step;
  }

  /** Return the step that is `by` steps after another, among those that can be shown. */
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
   * Return the fully cached step nearest to `step`, on the way there from `from`; `step` itself if
   * it is cached, null if none is.
   */
  async nearestCached(step: number, from: number, method: LayoutMethod): Promise<number | null> {
    const index = await this.loadIndex();
    const back = step < from;
    let { first } = rangeOfStep(step);
    let candidate = step;
    while (back ? candidate < from : candidate > from) {
      if (this.isCached(index, candidate, method)) return candidate;
      const middle = middleOfRange(candidate);
      const between = back
        ? candidate < middle && middle < from
        : from < middle && middle < candidate;
      if (between && this.isCached(index, middle, method)) return middle;
      first += back ? RANGE_STEPS : -RANGE_STEPS;
      candidate = back ? first : first + RANGE_STEPS - 1;
    }
    return null;
  }

  private isCached(index: PastIndex, step: number, method: LayoutMethod): boolean {
    const light = this.cache.get(this.lightRequest(step)[0]);
    return (
      light !== undefined &&
      includesStep(light, step) &&
      [...this.layoutRequests(index, step, method), ...this.districtRequests(index, step)].every(
        ([key]) => this.cache.has(key),
      )
    );
  }

  /** Fetch the map that belongs to a step; none if none is as old. */
  async fetchLayouts(step: number, method: LayoutMethod): Promise<Layouts> {
    const found = await this.withFreshIndex((index) =>
      Promise.all(this.layoutRequests(index, step, method).map((one) => this.fetchLayout(one))),
    );
    return Object.fromEntries(found.map((layout) => [layout.method, layout]));
  }

  private async fetchLayout([key, path, made]: MapRequest): Promise<Layout> {
    const frames = (await this.cache.fetch([key, path])) as Layout[];
    const layout = frames.find(({ step }) => step === made);
    if (layout) return layout;
    // The map was thinned out since the index was read.
    this.cache.delete(key);
    this.index = null;
    throw new ApiError(404, { code: "noMapAt", step: made });
  }

  /**
   * Run `find` with the index; once more with a fresh index if the server lacks what the old one
   * names.
   */
  private async withFreshIndex<Found>(find: (index: PastIndex) => Promise<Found>): Promise<Found> {
    try {
      return await find(await this.loadIndex());
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      return find(await this.loadIndex());
    }
  }

  /** Return the steps of a view's own maps around `step`. */
  async mapSteps(step: number, method: LayoutMethod): Promise<MapSteps> {
    const refs = (await this.loadIndex()).layouts[method];
    const index = lastRefAt(refs, step);
    return { at: refs[index]?.step ?? null, next: refs[index + 1]?.step ?? null };
  }

  /**
   * Prefetch steps, likeliest first. Earlier prefetches that are no longer likely are aborted,
   * except during a scrub (`scrubbing`).
   */
  prefetch(steps: readonly number[], method: LayoutMethod, scrubbing = false) {
    if (!scrubbing) this.endSkim();
    this.ifIndexed((index) => {
      const requests = this.missingRequests(index, steps, method);
      if (!scrubbing) this.cache.abortSpeculative(new Set(requests.map(([key]) => key)));
      for (const request of requests) {
        if (this.busy) break;
        this.cache.fetch(request, true).catch(() => undefined);
      }
    });
  }

  /**
   * Prefetch steps all along the run for a scrub, far apart first. It ends with `endSkim`, when a
   * step is shown outside a scrub, or when a request fails.
   */
  async skim(method: LayoutMethod) {
    if (this.skimming) return;
    const skim = (this.skimming = {});
    const end = () => {
      if (this.skimming === skim) this.skimming = null;
    };
    try {
      const index = await this.loadIndex();
      const before = this.cache.bytesReceived;
      for (const step of spreadSteps(this.newest().step)) {
        for (const request of this.missingRequests(index, [step], method)) {
          while (this.cache.pendingCount >= MAX_SKIM_REQUESTS && this.skimming === skim)
            await this.cache.anySettled();
          if (this.skimming !== skim || this.cache.bytesReceived - before > MAX_SKIM_BYTES) return;
          this.cache.fetch(request, true).catch(end);
        }
      }
    } finally {
      end();
    }
  }

  /** Stop prefetching for a scrub. */
  endSkim() {
    this.skimming = null;
  }

  /** Return the requests that these steps need and the cache lacks, each once. */
  private missingRequests(
    index: PastIndex,
    steps: readonly number[],
    method: LayoutMethod,
  ): FrameRequest[] {
    const newest = this.newest().step;
    const requests = new Map<string, FrameRequest>();
    for (const step of steps) {
      if (step < 0 || step > newest) continue;
      for (const [key, path] of [
        this.lightRequest(step),
        ...this.layoutRequests(index, step, method),
        ...this.districtRequests(index, step),
      ]) {
        if (!this.cache.has(key)) requests.set(key, [key, path]);
      }
    }
    return [...requests.values()];
  }

  private loadIndex(): Promise<PastIndex> {
    const request = (this.index ??= this.fetchIndex());
    request.catch(() => {
      if (this.index === request) this.index = null;
    });
    return request;
  }

  /** Run `then` once the index is loaded, if it was requested. */
  private ifIndexed(then: (index: PastIndex) => void) {
    // The caller that requested the index handles its failure.
    this.index?.then(then, () => undefined);
  }

  private async fetchIndex(): Promise<PastIndex> {
    const [umap, linear, districts] = await Promise.all([
      this.fetchStepRefs(`layouts?method=umap${this.reprojected ? "&set=again" : ""}`),
      this.fetchStepRefs(`layouts?method=linear${this.reprojected ? "&set=again" : ""}`),
      this.fetchStepRefs("districts/steps"),
    ]);
    return { layouts: { umap, linear }, districts };
  }

  private async fetchStepRefs(path: string): Promise<StepRef[]> {
    const all: StepRef[] = [];
    let next: string | null = this.apiPath(path);
    while (next) {
      const page:
        Answer<"GET /api/runs/{run}/layouts"> | Answer<"GET /api/runs/{run}/districts/steps"> =
        await requestJson(next, {
          signal: this.signal,
        });
      all.push(...page.items);
      next = "next" in page ? page.next : null;
    }
    return sortByStep(all);
  }

  private async fetchLight(step: number): Promise<Frame[]> {
    const request = this.lightRequest(step);
    const cached = this.cache.get(request[0]);
    // The newest range was incomplete when it was fetched.
    if (cached && !includesStep(cached, step)) this.cache.delete(request[0]);
    const frames = await this.cache.fetch(request);
    if (frames[0]?.kind === "census" && includesStep(frames, step)) return frames;
    // For a step that does not exist, the server's error names those that do.
    await requestJson(this.apiPath(`steps/${step}`), { signal: this.signal });
    throw new ApiError(404, { code: "noStep", step });
  }

  private lightRequest(step: number): FrameRequest {
    const { first, last } = rangeOfStep(step);
    const to = Math.max(step, Math.min(last, this.newest().step));
    const path = `steps?from=${first}&to=${to}&every=1&format=frame&census=true`;
    return [
      `light ${this.generation} ${first}`,
      this.apiPath(`${path}${this.attemptParameter(to)}`),
    ];
  }

  private layoutRequests(index: PastIndex, step: number, method: LayoutMethod): MapRequest[] {
    const found = mapAt(index.layouts, step, method);
    if (!found) return [];
    const { ref } = found;
    const refs = index.layouts[found.method];
    let [from, to] = [ref, ref];
    if (this.vocabulary <= SMALL_VOCABULARY) {
      const { first, last } = rangeOfStep(ref.step);
      from = refs[lastRefAt(refs, first === 1 ? -1 : first - 1) + 1]!;
      to = refs[lastRefAt(refs, last)]!;
    }
    const set = `${found.method}${this.reprojected ? "&set=again" : ""}`;
    const path = `places?from=${from.step}&to=${to.step}&method=${set}&format=frame`;
    const key = `layouts ${set} ${from.step} ${to.attempt} ${to.step}`;
    return [[key, this.apiPath(path), ref.step]];
  }

  private fetchDistricts(step: number): Promise<Districts | null> {
    return this.withFreshIndex(async (index) => {
      const [request] = this.districtRequests(index, step);
      return request ? ((await this.cache.fetch(request))[0] as Districts) : null;
    });
  }

  private districtRequests({ districts }: PastIndex, step: number): FrameRequest[] {
    const ref = districts[lastRefAt(districts, step)];
    if (!ref) return [];
    const path = this.apiPath(`districts?step=${ref.step}&format=frame`);
    return [[`districts ${ref.attempt} ${ref.step}`, path]];
  }

  /**
   * Return the query parameter that makes a response cacheable in the browser; `""` where the
   * attempt of the steps is uncertain.
   */
  private attemptParameter(to: number): string {
    const { attempt, step } = this.newest();
    return attempt === 1 && to <= step ? "&attempt=1" : "";
  }

  private apiPath(path: string): string {
    return runPath(this.run, path);
  }
}

/** Return whether a range was complete enough, when it was fetched, to include that step. */
function includesStep(frames: Frame[], step: number): boolean {
  return step === 0 || (frames.at(-1)?.step ?? 0) >= step;
}
