/** A server answer about the geometry of the displayed step, fetched again when the step or the question changes. */

import { runPath } from "../../api/rest";
import type { LiveRun } from "../../state/run/live-run.svelte";
import { jsonQuestion, Query } from "../../state/query/query.svelte";
import { Sampled } from "../../state/query/sampled.svelte";

/** Debounce in ms while a person types or steps pass quickly. */
const DEBOUNCE = 150;
/** Poll interval in ms for a run in training. */
const SAMPLE_INTERVAL = 5_000;

export class StepAnswer<T> extends Query<T> {
  /**
   * Ask at once, where effects may be created. `path` returns the request, such as `relations` or
   * `analogy?a=1&b=2&c=3`; null: none. `timeless`: the answer covers all steps up to the last.
   */
  constructor(run: LiveRun, path: () => string | null, timeless = false) {
    super();
    const newest = new Sampled(() => run.status?.step ?? null, SAMPLE_INTERVAL);
    $effect(() => {
      const asked = path();
      const at = timeless ? null : run.settledStep;
      const step = at === null ? "" : `${asked?.includes("?") ? "&" : "?"}step=${at}`;
      const version = at === null ? (newest.value ?? 0) : 0;
      this.ask(
        asked === null
          ? null
          : jsonQuestion<T>(runPath(run.id, `geometry/${asked}${step}`), asked, version),
        DEBOUNCE,
      );
    });
    $effect(() => () => this.close());
  }
}
