/** The analyst's measures, grouped by chart. Pure. */

import type { Measures } from "../../api/rest-types";

interface MeasureLine {
  name: string;
  steps: number[];
  values: number[];
}

interface MeasureGroup {
  /** `loss`, `purity`, `analogy`, or the measure's own name. */
  name: string;
  lines: MeasureLine[];
}

/** Return the newest set with a measure up to `step` (null: of all); null if there is none. */
export function measuredAt(
  measures: readonly Measures[],
  name: string,
  step: number | null,
): Measures | null {
  const has = (one: Measures) =>
    Number.isFinite(one.values[name]) && (step === null || one.step <= step);
  return measures.findLast(has) ?? null;
}

/** Limit on the sets of measures; a run of hours has thousands. */
const MAX_SETS = 600;

/**
 * Merge two lists of measures by step; a later set replaces an earlier one of the same step. Above the limit
 * one set per range of steps remains.
 */
export function mergeMeasures(known: Measures[], more: Measures[]): Measures[] {
  const steps = new Set(more.map(({ step }) => step));
  const all = [...known.filter(({ step }) => !steps.has(step)), ...more];
  all.sort((a, b) => a.step - b.step);
  let kept = all;
  for (let binSize = 2; kept.length > MAX_SETS; binSize *= 2) {
    const rangeOf = (one?: Measures) => Math.floor((one?.step ?? -1) / binSize);
    // The newest one always stays.
    kept = all.filter((one, i) => rangeOf(one) !== rangeOf(all[i - 1]) || i === all.length - 1);
  }
  return kept;
}

/** Prefixes of measures that share a chart. */
const CHARTS = [
  "loss",
  "accuracy",
  "circle_share",
  "loss_decile",
  "separation",
  "rows_stayed",
  "purity",
  "neighbour_information",
  "analogy",
  "consistency",
  "consistency_chance",
  "rank",
  "nearest_cosine",
];

/** Group the measures by chart, in a stable order: losses, purity, analogies, then the others by name. */
export function groupMeasures(measures: Measures[]): MeasureGroup[] {
  const sorted = [...measures].sort((a, b) => a.step - b.step);
  const names = [...new Set(sorted.flatMap(({ values }) => Object.keys(values)))].sort();
  const groups = new Map<string, MeasureLine[]>(CHARTS.map((chart) => [chart, []]));
  for (const name of names) {
    const having = sorted.filter(({ values }) => Number.isFinite(values[name]));
    if (!having.length) continue;
    const chart = CHARTS.findLast((word) => name.startsWith(word)) ?? name.replace(/_chance$/, "");
    const lines = groups.get(chart) ?? [];
    lines.push({
      name,
      steps: having.map(({ step }) => step),
      values: having.map(({ values }) => values[name]!),
    });
    groups.set(chart, lines);
  }
  return [...groups].flatMap(([name, lines]) => (lines.length ? [{ name, lines }] : []));
}
