/**
 * The requests for the parts of a step: the light of its range of 64 steps, and the maps of those steps
 * unless they are large.
 */

import type { LayoutMethod } from "../../api/frames";
import { runPath } from "../../api/rest";
import type { FrameRequest } from "./frame-cache";
import type { MapRefs } from "./map-index";
import { lastRefAt, mapAt, rangeOfStep, type StepRef } from "./step-ranges";

/**
 * Vocabulary size up to which the maps of a range are fetched together: many small responses have too much
 * overhead.
 */
const SMALL_VOCABULARY = 8_192;

/** A request for a map, which may come with others, and the step it was made for. */
export type MapRequest = readonly [key: string, path: string, made: number];

export class StepRequests {
  /** Part of the keys of the light; a new value invalidates the cached ones. */
  private generation = 0;

  /** Build requests to a run with a number of tokens. `newest` returns its newest step and attempt. */
  constructor(
    private readonly run: string,
    private readonly vocabulary: number,
    readonly newest: () => StepRef,
  ) {}

  /** Use other keys for the light from now on: another attempt took over steps. */
  renewLight() {
    this.generation += 1;
  }

  /** Return all requests that a step needs, with the map of a view. */
  requestsOf(
    refs: MapRefs,
    step: number,
    method: LayoutMethod,
  ): [light: FrameRequest, ...FrameRequest[]] {
    const maps = this.layouts(refs, step, method).map(([key, path]) => [key, path] as const);
    return [this.light(step), ...maps, ...this.districts(refs, step)];
  }

  /** Return the request for a census and the lights after it, up to the end of the range. */
  light(step: number): FrameRequest {
    const { first, last } = rangeOfStep(step);
    const { attempt, step: newest } = this.newest();
    const to = Math.max(step, Math.min(last, newest));
    // Makes the response cacheable in the browser, unless the attempt of the steps is uncertain.
    const known = attempt === 1 && to <= newest ? "&attempt=1" : "";
    return [
      `light ${this.generation} ${first}`,
      this.path(`steps?from=${first}&to=${to}&every=1&format=frame&census=true${known}`),
    ];
  }

  /** Return the request for the map that belongs to a step (`mapAt`); empty if there is none by then. */
  layouts({ layouts, set }: MapRefs, step: number, wanted: LayoutMethod): MapRequest[] {
    const found = mapAt(layouts, step, wanted);
    if (!found) return [];
    const { ref, method } = found;
    const refs = layouts[method];
    let [from, to] = [ref, ref];
    if (this.vocabulary <= SMALL_VOCABULARY) {
      const { first, last } = rangeOfStep(ref.step);
      from = refs[lastRefAt(refs, first === 1 ? -1 : first - 1) + 1]!;
      to = refs[lastRefAt(refs, last)]!;
    }
    const path = `places?from=${from.step}&to=${to.step}&method=${method}${set}&format=frame`;
    const key = `layouts ${method}${set} ${from.step} ${to.attempt} ${to.step}`;
    return [[key, this.path(path), ref.step]];
  }

  /** Return the request for the districts of a step; empty if there are none by then. */
  districts({ districts }: MapRefs, step: number): FrameRequest[] {
    const ref = districts[lastRefAt(districts, step)];
    if (!ref) return [];
    const path = this.path(`districts?step=${ref.step}&format=frame`);
    return [[`districts ${ref.attempt} ${ref.step}`, path]];
  }

  private path(path: string): string {
    return runPath(this.run, path);
  }
}
