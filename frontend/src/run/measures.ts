/** The analyst's measures, grouped into charts that belong together. Pure. */

import type { Measures } from "../wire/rest";

export interface Line {
  name: string;
  steps: number[];
  values: number[];
}

export interface Group {
  /** `purity`, `analogy`, or the measure's own name. */
  name: string;
  lines: Line[];
}

/** Sets at most; a run of hours has thousands. */
const MOST = 600;

/** The sets known, with more of them, by step; a later one of a step counts. Of too many, one a stretch of steps stays. */
export function joined(known: Measures[], more: Measures[]): Measures[] {
  const steps = new Set(more.map(({ step }) => step));
  const all = [...known.filter(({ step }) => !steps.has(step)), ...more];
  all.sort((a, b) => a.step - b.step);
  let kept = all;
  for (let stretch = 2; kept.length > MOST; stretch *= 2) {
    const of = (one?: Measures) => Math.floor((one?.step ?? -1) / stretch);
    // The newest stays whatever comes before it.
    kept = all.filter((one, i) => of(one) !== of(all[i - 1]) || i === all.length - 1);
  }
  return kept;
}

/** What a measure's name starts with, where several share a chart. */
const FAMILIES = ["purity", "analogy"];

/** Charts in a steady order: purity, analogies, then the others as they are named. */
export function grouped(measures: Measures[]): Group[] {
  const sorted = [...measures].sort((a, b) => a.step - b.step);
  const names = [...new Set(sorted.flatMap(({ values }) => Object.keys(values)))].sort();
  const groups = new Map<string, Line[]>(FAMILIES.map((family) => [family, []]));
  for (const name of names) {
    const having = sorted.filter(({ values }) => Number.isFinite(values[name]));
    if (!having.length) continue;
    const family = FAMILIES.find((word) => name.startsWith(word)) ?? name;
    const lines = groups.get(family) ?? [];
    lines.push({
      name,
      steps: having.map(({ step }) => step),
      values: having.map(({ values }) => values[name]!),
    });
    groups.set(family, lines);
  }
  return [...groups].flatMap(([name, lines]) => (lines.length ? [{ name, lines }] : []));
}
