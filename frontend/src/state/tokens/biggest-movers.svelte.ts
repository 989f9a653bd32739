/** How far each row moved in the space over the last steps, polled while it is on screen. */

import { untrack } from "svelte";
import { ApiError } from "../../api/failure";
import { NearestTokens } from "../../model/plane/nearest";
import { PolledQuery } from "../query/polled-query.svelte";
import type { Question } from "../query/query.svelte";
import { fetchDisplacements, type Displacements } from "./displacements";

/** The run and the span to measure. */
export interface MoversRequest {
  run: string;
  vocabulary: number;
  /** Steps back; 0: to the start. */
  stepsBack: number;
}

export class BiggestMovers extends PolledQuery<Displacements> {
  protected readonly pollInterval = 2_000;

  /** Poll while `wanted` returns a request. `step` returns the step on display. */
  constructor(
    private readonly wanted: () => MoversRequest | null,
    private readonly step: () => number,
  ) {
    super();
    $effect(() => {
      void wanted();
      untrack(() => this.poll());
    });
    $effect(() => () => this.close());
  }

  /**
   * Return up to `limit` ids of the rows that moved farthest, farthest first; rows that did not move are left
   * out.
   */
  farthest(limit: number): number[] {
    const { distances } = this.value ?? { distances: new Float32Array(0) };
    const farthest = new NearestTokens(limit);
    // The farthest are the nearest by negative distance.
    for (let id = 0; id < distances.length; id++) {
      if (distances[id]! > 0) farthest.offer(id, -distances[id]!);
    }
    return [...farthest.kept];
  }

  protected question(): Question<Displacements> | null {
    const wanted = this.wanted();
    if (!wanted) return null;
    const { run, vocabulary, stepsBack } = wanted;
    const step = this.step();
    // Distances of another run or span must not be shown for this one.
    const subject = `${run} ${stepsBack}`;
    const fetch = async (signal: AbortSignal) => {
      const found = await fetchDisplacements(run, step, stepsBack, signal);
      if (found.distances.length === vocabulary) return found;
      throw new ApiError(0, { code: "otherVocabulary" });
    };
    return { key: `${subject} ${step}`, subject, fetch };
  }
}
