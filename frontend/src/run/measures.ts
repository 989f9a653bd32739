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
