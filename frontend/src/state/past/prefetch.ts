/**
 * Prefetches past steps that may be shown next. It uses few requests, and aborts them as soon as another step
 * becomes more likely.
 */

import type { LayoutMethod } from "../../api/frames";
import type { FrameCache, FrameRequest } from "./frame-cache";
import type { MapIndex, MapRefs } from "./map-index";
import type { StepRequests } from "./step-requests";
import { spreadSteps } from "./step-ranges";

/** Limit on parallel requests for steps that a scrub may pass. */
const MAX_SKIM_REQUESTS = 3;

export class Prefetch {
  /** Identity of the skim in progress, so that an older one can tell that it was replaced; null: none. */
  private skimming: object | null = null;

  /**
   * Fetch into a cache. A skim fetches at most `maxSkimBytes` bytes; the rest is for the steps actually
   * shown.
   */
  constructor(
    private readonly cache: FrameCache,
    private readonly index: MapIndex,
    private readonly requests: StepRequests,
    private readonly maxSkimBytes: number,
  ) {}

  /**
   * Prefetch steps, most likely first. Earlier prefetches that are no longer likely are aborted, except
   * during a scrub (`scrubbing`).
   */
  fetchSteps(steps: readonly number[], method: LayoutMethod, scrubbing = false) {
    if (!scrubbing) this.endSkim();
    this.index.ifLoaded((refs) => {
      const requests = this.missingRequests(refs, steps, method);
      if (!scrubbing) this.cache.abortSpeculative(new Set(requests.map(([key]) => key)));
      for (const request of requests) {
        if (this.cache.busy) break;
        this.cache.fetch(request, true).catch(() => undefined);
      }
    });
  }

  /**
   * Prefetch steps all along the run for a scrub, far apart first. It ends with `endSkim`, when a step is
   * shown outside a scrub, or when a request fails.
   */
  async skim(method: LayoutMethod) {
    if (this.skimming) return;
    const { cache } = this;
    const skim = (this.skimming = {});
    const end = () => {
      if (this.skimming === skim) this.skimming = null;
    };
    try {
      const refs = await this.index.loadRefs();
      const before = cache.bytesReceived;
      for (const step of spreadSteps(this.requests.newest().step)) {
        for (const request of this.missingRequests(refs, [step], method)) {
          while (cache.pendingCount >= MAX_SKIM_REQUESTS && this.skimming === skim)
            await cache.anySettled();
          if (this.skimming !== skim || cache.bytesReceived - before > this.maxSkimBytes) return;
          cache.fetch(request, true).catch(end);
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

  /** Stop prefetching while the past is not on display. */
  suspend() {
    this.endSkim();
    this.cache.abortSpeculative(new Set());
  }

  /** Return the requests that these steps need and the cache lacks, each once. */
  private missingRequests(
    refs: MapRefs,
    steps: readonly number[],
    method: LayoutMethod,
  ): FrameRequest[] {
    const newest = this.requests.newest().step;
    const missing = new Map<string, FrameRequest>();
    for (const step of steps) {
      if (step < 0 || step > newest) continue;
      for (const request of this.requests.requestsOf(refs, step, method)) {
        if (!this.cache.has(request[0])) missing.set(request[0], request);
      }
    }
    return [...missing.values()];
  }
}
