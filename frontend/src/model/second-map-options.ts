/** The possible contents of the second map, as the URL names them. Pure. */

import type { Method } from "../api/frames";

/** A step of the same run, its other view, or another run. */
export type Beside = `step:${number}` | `view:${Method}` | `run:${string}`;

export type BesideKind = "step" | "view" | "run";

/** Parse a URL word; return null unless it matches one of the three forms exactly. */
export function readBeside(word: string): Beside | null {
  if (/^step:\d{1,9}$/.test(word)) return `step:${Number(word.slice(5))}`;
  if (word === "view:umap" || word === "view:linear") return word;
  return /^run:[a-z0-9][a-z0-9-]{0,79}$/.test(word) ? (word as Beside) : null;
}

export function kindOf(beside: Beside): BesideKind {
  return beside.slice(0, beside.indexOf(":")) as BesideKind;
}

/** Return the step, the view or the run that the source names. */
export function namedBy(beside: Beside): string {
  return beside.slice(beside.indexOf(":") + 1);
}
