/** How far each row moved in the space over the last steps, polled while it is on screen. */

import { untrack } from "svelte";
import { requestArray } from "../../api/npy";
import { runPath } from "../../api/rest";
import { ApiError, type Failure } from "../../api/failure";
import { NearestTokens } from "../../model/nearest";

const POLL_INTERVAL = 2_000;

/** The run and the span to measure. */
export interface MoversRequest {
  run: string;
  vocabulary: number;
  /** Steps back; 0: to the start. */
  stepsBack: number;
}

interface Displacements {
  run: string;
  /** The two steps: those requested, or the nearest exact ones before them. */
  from: number;
  to: number;
  /** Euclidean, by token id. */
  distances: Float32Array;
}

export class BiggestMovers {
  current = $state.raw<Displacements | null>(null);
  problem = $state.raw<Failure | null>(null);

  private lastKey = "";
  private stepsBack = -1;
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Poll while `request` returns one. `step` returns the step shown now. */
  constructor(
    private readonly request: () => MoversRequest | null,
    private readonly step: () => number,
  ) {
    $effect(() => {
      const question = request();
      untrack(() => {
        // Distances of another run or span must not be shown for this one.
        if (
          !question ||
          this.stepsBack !== question.stepsBack ||
          this.current?.run !== question.run
        )
          this.current = null;
        this.poll();
      });
      return () => this.close();
    });
  }

  /**
   * Return the ids of the rows that moved farthest, farthest first; rows that did not move are left
   * out.
   */
  farthest(limit: number): number[] {
    const { distances } = this.current ?? { distances: new Float32Array(0) };
    const farthest = new NearestTokens(limit);
    // The farthest are the nearest by the negative distance.
    for (let id = 0; id < distances.length; id++) {
      if (distances[id]! > 0) farthest.offer(id, -distances[id]!);
    }
    return [...farthest.kept];
  }

  private close() {
    this.abort?.abort();
    clearTimeout(this.timer);
  }

  private readonly poll = () => {
    this.close();
    const request = untrack(this.request);
    if (request) void this.fetchDistances(request, untrack(this.step));
  };

  private async fetchDistances({ run, vocabulary, stepsBack }: MoversRequest, step: number) {
    const { signal } = (this.abort = new AbortController());
    const key = `${run} ${step} ${stepsBack}`;
    const startedAt = performance.now();
    try {
      if (key !== this.lastKey || !this.current) {
        const from = stepsBack ? Math.max(0, step - stepsBack) : 0;
        const query = `displacements?from=${from}&to=${step}&nearest=true&format=npy`;
        const { numbers, headers } = await requestArray(runPath(run, query), signal);
        if (numbers.length !== vocabulary) throw new ApiError(0, { code: "otherVocabulary" });
        const header = (name: string) => Number(headers.get(`X-Lamplighter-${name}`));
        [this.lastKey, this.stepsBack] = [key, stepsBack];
        this.current = { run, from: header("From"), to: header("Step"), distances: numbers };
        this.problem = null;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.problem = error.failure;
      this.current = null;
    }
    // Poll less often when the server takes long.
    this.timer = setTimeout(
      this.poll,
      Math.max(POLL_INTERVAL, 3 * (performance.now() - startedAt)),
    );
  }
}
