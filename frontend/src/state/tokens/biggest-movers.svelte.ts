/** How far each row moved in the space over the last steps, polled while it is on screen. */

import { untrack } from "svelte";
import { askNumbers } from "../../api/npy";
import { runPath } from "../../api/rest";
import { Refusal, type Failure } from "../../api/failure";

const AGAIN = 2_000;

/** The run and the span to measure. */
export interface Wanted {
  run: string;
  vocabulary: number;
  /** Steps back; 0: to the start. */
  over: number;
}

export interface Moved {
  run: string;
  /** The two steps: those requested, or the nearest exact ones before them. */
  from: number;
  to: number;
  /** Euclidean, by token id. */
  distances: Float32Array;
}

export class Moves {
  now = $state.raw<Moved | null>(null);
  problem = $state.raw<Failure | null>(null);

  private asked = "";
  private over = -1;
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Poll while `request` returns one. `step` returns the step shown now. */
  constructor(
    private readonly wanted: () => Wanted | null,
    private readonly step: () => number,
  ) {
    $effect(() => {
      const question = wanted();
      untrack(() => {
        // Distances of another run or span must not be shown for this one.
        if (!question || this.over !== question.over || this.now?.run !== question.run)
          this.now = null;
        this.look();
      });
      return () => this.close();
    });
  }

  /**
   * Return the ids of the rows that moved farthest, farthest first; rows that did not move are left
   * out.
   */
  farthest(most: number): number[] {
    const { distances } = this.now ?? { distances: new Float32Array(0) };
    const ids: number[] = [];
    for (let id = 0; id < distances.length; id++) {
      const far = distances[id]!;
      if (!(far > 0) || (ids.length === most && far <= distances[ids[most - 1]!]!)) continue;
      let at = ids.length;
      while (at > 0 && distances[ids[at - 1]!]! < far) at -= 1;
      ids.splice(at, 0, id);
      ids.length = Math.min(ids.length, most);
    }
    return ids;
  }

  private close() {
    this.abort?.abort();
    clearTimeout(this.timer);
  }

  private readonly look = () => {
    this.close();
    const wanted = untrack(this.wanted);
    if (wanted) void this.fetch(wanted, untrack(this.step));
  };

  private async fetch({ run, vocabulary, over }: Wanted, step: number) {
    const { signal } = (this.abort = new AbortController());
    const key = `${run} ${step} ${over}`;
    const begun = performance.now();
    try {
      if (key !== this.asked || !this.now) {
        const from = over ? Math.max(0, step - over) : 0;
        const query = `displacements?from=${from}&to=${step}&nearest=true&format=npy`;
        const { numbers, headers } = await askNumbers(runPath(run, query), signal);
        if (numbers.length !== vocabulary) throw new Refusal(0, { code: "otherVocabulary" });
        const told = (name: string) => Number(headers.get(`X-Lamplighter-${name}`));
        [this.asked, this.over] = [key, over];
        this.now = { run, from: told("From"), to: told("Step"), distances: numbers };
        this.problem = null;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      this.problem = error.failure;
      this.now = null;
    }
    // Poll less often when the server takes long.
    this.timer = setTimeout(this.look, Math.max(AGAIN, 3 * (performance.now() - begun)));
  }
}
