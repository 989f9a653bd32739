/** The measures of a run by step: as they came with the run, and of one that is over while those it lacks are filled in. */

import { runPath } from "../../api/rest";
import type { Answer, Measures } from "../../api/rest-types";
import { hasEnded } from "../../model/phase";
import { PolledQuery } from "../query/polled-query.svelte";
import { jsonQuestion } from "../query/query.svelte";
import type { LiveRun } from "./live-run.svelte";

type MeasuresList = Answer<"GET /api/runs/{run}/measures">;

export class MeasureCurves extends PolledQuery<MeasuresList> {
  protected readonly pollInterval = 3_000;

  /** Follow a run, where effects may be made. */
  constructor(private readonly run: LiveRun) {
    super();
    const over = $derived(hasEnded(run.status?.phase));
    $effect(() => {
      if (over) this.poll();
    });
    $effect(() => () => this.close());
  }

  /** Return the sets of measures, by step. */
  get sets(): Measures[] {
    return this.value?.items ?? this.run.measures;
  }

  /** Return how far the measures of a run that is over are filled in; null when there is nothing to wait for. */
  get filling(): { filled: number; of: number } | null {
    const filling = this.value?.filling ?? null;
    return filling && filling.filled < filling.of ? filling : null;
  }

  /** Return the measures whose names `pick` renames, as lines of a chart; it returns null for the others. */
  lines(pick: (name: string) => string | null) {
    const names = [...new Set(this.sets.flatMap(({ values }) => Object.keys(values)))].sort();
    return names.flatMap((key) => {
      const name = pick(key);
      const having = this.sets.filter(({ values }) => Number.isFinite(values[key]));
      if (name === null || !having.length) return [];
      return [
        {
          name,
          dashed: /chance|_most$/.test(key),
          steps: having.map(({ step }) => step),
          values: having.map(({ values }) => values[key]!),
        },
      ];
    });
  }

  protected question() {
    if (!hasEnded(this.run.status?.phase) || this.run.replay) return null;
    const question = jsonQuestion<MeasuresList>(runPath(this.run.id, "measures"));
    return this.filling ? { ...question, key: null } : question;
  }
}
