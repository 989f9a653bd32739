/** The numbers of single steps, such as the one under the pointer on the timeline. */

import { jsonQuestion, Query } from "../query/query.svelte";
import { runPath } from "../../api/rest";
import type { Answer } from "../../api/rest-types";
import type { LiveRun } from "./live-run.svelte";

interface StepFigures {
  /** NaN before the first step. */
  loss: number;
  /** Rows that were in a batch at least once by then; null if not known. */
  ever: number | null;
}

/** Time that the pointer must rest before its step is requested, in ms. */
const REST_DELAY = 120;

export class StepFiguresQuery {
  private readonly record = new Query<Answer<"GET /api/runs/{run}/steps">>();

  constructor(
    private readonly run: Pick<LiveRun, "id" | "displayedStep" | "beat" | "counters" | "series">,
  ) {}

  /** Request the step under the pointer from the record, unless it is known; null: no pointer. */
  pointAt(step: number | null) {
    // The smallest `most` that the server accepts; the response includes the rows lit by the step.
    const path = `steps?from=${step}&to=${step}&most=20`;
    const unknown = step !== null && !this.known(step);
    this.record.ask(unknown ? jsonQuestion(runPath(this.run.id, path), path) : null, REST_DELAY);
  }

  /** Return the numbers of exactly that step; null if not known, or not yet. */
  at(step: number): StepFigures | null {
    const known = this.known(step);
    if (known) return known;
    const found = this.record.value?.items.find((one) => one.step === step);
    return found ? { loss: found.loss ?? NaN, ever: found.ever_rows ?? null } : null;
  }

  /** Stop requesting. */
  close = () => this.record.close();

  private known(step: number): StepFigures | null {
    if (step === 0) return { loss: NaN, ever: 0 };
    const { displayedStep, beat, counters, series } = this.run;
    if (step === displayedStep && beat && counters) return { loss: beat.loss, ever: counters.ever };
    const index = series?.steps.indexOf(step) ?? -1;
    return series && index >= 0
      ? { loss: series.losses[index]!, ever: series.ever[index] ?? null }
      : null;
  }
}
