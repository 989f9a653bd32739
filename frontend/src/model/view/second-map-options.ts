/** The possible contents of the second map, as the URL names them. Pure. */

import type { LayoutMethod } from "../../api/frames";

/** A step of the same run, its other view, its output matrix, or another run. */
export type SecondMapSource =
  `step:${number}` | `view:${LayoutMethod}` | "matrix:out" | `run:${string}`;

export type SecondMapKind = "step" | "view" | "matrix" | "run";

/** Parse a URL word; return null unless it matches one of the forms exactly. */
export function parseSecondMapSource(word: string): SecondMapSource | null {
  if (/^step:\d{1,9}$/.test(word)) return `step:${Number(word.slice(5))}`;
  if (word === "view:umap" || word === "view:linear" || word === "matrix:out") return word;
  return /^run:[a-z0-9][a-z0-9-]{0,79}$/.test(word) ? (word as SecondMapSource) : null;
}

export function sourceKind(source: string): SecondMapKind {
  return source.slice(0, source.indexOf(":")) as SecondMapKind;
}

/** Return the step, the view or the run that the source names. */
export function sourceName(source: string): string {
  return source.slice(source.indexOf(":") + 1);
}
