/** The difference between the run on the page and another, as colours and light of the map. */

import type { DifferenceBy } from "../../model/view/view-options";
import type { LiveRun } from "../../state/run/live-run.svelte";
import { Query } from "../../state/query/query.svelte";
import { fetchRowDistances, lightOfDistances, type RowDistances } from "./row-distances";

/** Debounce in ms: during a scrub only the last step is requested. */
const DEBOUNCE = 120;

export class GlowingRows {
  private readonly query = new Query<RowDistances>();
  /** The distances that the map shows, by token of the first run; null: none. */
  readonly values: Float32Array | null = $derived.by(() => {
    const by = this.by();
    return by && (this.query.value?.[by] ?? null);
  });

  /** Return whether distances are on their way. */
  get loading(): boolean {
    return this.query.loading;
  }

  /**
   * Show the distances of a run to `other`, null for none, at a step, while `by` returns which ones. Create it
   * where effects are allowed.
   */
  constructor(
    run: () => LiveRun,
    other: () => string | null,
    step: () => number | null,
    private readonly by: () => DifferenceBy | null,
  ) {
    $effect(() => {
      const [{ id: first }, id, at] = [run(), other(), step()];
      if (id === null || at === null || by() === null) {
        this.query.ask(null);
        return;
      }
      const fetch = (signal: AbortSignal) => fetchRowDistances(first, id, at, signal);
      const subject = `${first} ${id}`;
      this.query.ask({ key: `${subject} ${at}`, subject, fetch }, DEBOUNCE);
    });
    $effect(() => {
      const shown = run();
      shown.compared = this.query.value;
      shown.spoken = this.values && lightOfDistances(this.values, step() ?? 0);
      return () => (shown.compared = shown.spoken = null);
    });
    $effect(() => () => this.query.close());
  }
}
