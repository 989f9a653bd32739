/** How far every row has come in the space over the last steps: asked for again while somebody looks at it. */

import { untrack } from "svelte";
import { askNumbers } from "../wire/npy";
import { Refusal, runPath } from "../wire/rest";

const AGAIN = 2_000;

/** What is looked at; null: nothing. */
export interface Wanted {
  run: string;
  vocabulary: number;
  /** How many steps back; 0: to the start. */
  over: number;
}

export interface Moved {
  run: string;
  /** The two steps: what was asked for, or the nearest before it that are kept exactly. */
  from: number;
  to: number;
  /** Euclidean, by token id. */
  distances: Float32Array;
}

export class Moves {
  now = $state.raw<Moved | null>(null);
  problem = $state<string | null>(null);

  private asked = "";
  private over = -1;
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `step`: the one that is shown now. */
  constructor(
    private readonly wanted: () => Wanted | null,
    private readonly step: () => number,
  ) {
    $effect(() => {
      const question = wanted();
      untrack(() => {
        // What was found for another question is no answer to this one.
        if (!question || this.over !== question.over || this.now?.run !== question.run)
          this.now = null;
        this.look();
      });
      return () => this.close();
    });
  }

  /** The rows that came farthest, the farthest first; none that did not move. */
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
        if (numbers.length !== vocabulary) throw new Refusal(0, "another vocabulary");
        const told = (name: string) => Number(headers.get(`X-Lamplighter-${name}`));
        [this.asked, this.over] = [key, over];
        this.now = { run, from: told("From"), to: told("Step"), distances: numbers };
        this.problem = null;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      this.problem = error.message;
      this.now = null;
    }
    // What takes the server long is asked for more rarely.
    this.timer = setTimeout(this.look, Math.max(AGAIN, 3 * (performance.now() - begun)));
  }
}
