/**
 * The measures of a run by step: those recorded with it and, for a run that has ended, those filled in
 * afterwards.
 */

import { runPath } from "../../api/rest";
import type { Answer, Measures } from "../../api/rest-types";
import { hasEnded } from "../../model/phase";
import { PolledQuery } from "../query/polled-query.svelte";
import { jsonQuestion } from "../query/query.svelte";
import type { LiveRun } from "./live-run.svelte";

type MeasuresList = Answer<"GET /api/runs/{run}/measures">;

export class MeasureCurves extends PolledQuery<MeasuresList> {
  protected readonly pollInterval = 3_000;

  /** Follow a run. Create it where effects are allowed. */
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

  /**
   * Return the progress of filling in the measures of a run that has ended; null if there is nothing to wait
   * for.
   */
  get filling(): { filled: number; of: number } | null {
    const filling = this.value?.filling ?? null;
    return filling && filling.filled < filling.of ? filling : null;
  }

  /**
   * Return the measures that `pick` names, as lines of a chart; those for which it returns null are left out.
   */
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
