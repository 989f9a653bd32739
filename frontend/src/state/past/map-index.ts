/**
 * The index of a run's maps and districts: the steps for which the server keeps them. It is fetched on first
 * use, and again once it is out of date.
 */

import type { Districts, Layout, LayoutMethod } from "../../api/frames";
import { ApiError } from "../../api/failure";
import { requestJson, runPath } from "../../api/rest";
import type { Answer } from "../../api/rest-types";
import { lastRefAt, sortByStep, type StepRef } from "./step-ranges";

/** Steps with maps and districts, each list ascending. */
export interface MapRefs {
  layouts: Record<LayoutMethod, StepRef[]>;
  districts: StepRef[];
  /** Query parameter that names the set of these maps; `""`: the live ones. */
  set: string;
}

/** Steps of a view's maps around another step; null: none. */
export interface MapSteps {
  at: number | null;
  next: number | null;
}

export class MapIndex {
  private refs: Promise<MapRefs> | null = null;
  private set = "";

  constructor(
    private readonly run: string,
    private readonly signal: AbortSignal,
  ) {}

  /** Switch to the reprojected maps, or to the live ones. */
  chooseSet(reprojected: boolean) {
    this.set = reprojected ? "&set=again" : "";
    this.drop();
  }

  /** Drop the index: it is out of date, or the past is not on display. */
  drop() {
    this.refs = null;
  }

  /** Add a new map, or new districts, if the index is loaded. */
  addFrame(frame: Layout | Districts) {
    this.ifLoaded(({ layouts, districts }) => {
      const refs = frame.kind === "layout" ? layouts[frame.method] : districts;
      const { attempt, step } = frame;
      if ((refs.at(-1)?.step ?? -1) < step) refs.push({ attempt, step });
    });
  }

  /** Return the steps of a view's own maps around `step`. Throws `ApiError`. */
  async mapSteps(step: number, method: LayoutMethod): Promise<MapSteps> {
    const refs = (await this.loadRefs()).layouts[method];
    const index = lastRefAt(refs, step);
    return { at: refs[index]?.step ?? null, next: refs[index + 1]?.step ?? null };
  }

  /** Return the steps, fetched if needed. Throws `ApiError`. */
  loadRefs(): Promise<MapRefs> {
    const request = (this.refs ??= this.fetchRefs());
    request.catch(() => {
      if (this.refs === request) this.drop();
    });
    return request;
  }

  /** Run `then` once the index is loaded, if it was requested. */
  ifLoaded(then: (refs: MapRefs) => void) {
    // The caller that requested the index handles its failure.
    this.refs?.then(then, () => undefined);
  }

  /** Run `find` with the index; again with a fresh one if the server lacks a listed item. */
  async findIn<Found>(find: (refs: MapRefs) => Promise<Found>): Promise<Found> {
    try {
      return await find(await this.loadRefs());
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      return find(await this.loadRefs());
    }
  }

  private async fetchRefs(): Promise<MapRefs> {
    const { set } = this;
    const [umap, linear, districts] = await Promise.all([
      this.fetchAll(`layouts?method=umap${set}`),
      this.fetchAll(`layouts?method=linear${set}`),
      this.fetchAll("districts/steps"),
    ]);
    return { layouts: { umap, linear }, districts, set };
  }

  private async fetchAll(path: string): Promise<StepRef[]> {
    const all: StepRef[] = [];
    let next: string | null = runPath(this.run, path);
    while (next) {
      const page:
        Answer<"GET /api/runs/{run}/layouts"> | Answer<"GET /api/runs/{run}/districts/steps"> =
        await requestJson(next, { signal: this.signal });
      all.push(...page.items);
      next = "next" in page ? page.next : null;
    }
    return sortByStep(all);
  }
}
