/** The address of a teacher's page, which replaces the map. Pure. */

import { formatViewState, parseViewState } from "../../model/view/view-state";

/** Return the address of the page about a part, with a run's numbers; part 0 is the page before the first part. */
export function teacherAddress(run: string, part: number): string {
  return `${formatViewState({ run })}&teacher=${part}`;
}

/** Return the run and the part of an address; null: not a teacher's page. */
export function parseTeacherAddress(query: string): { run: string; part: number } | null {
  const part = new URLSearchParams(query).get("teacher") ?? "";
  const { run } = parseViewState(query);
  return run !== null && /^\d{1,2}$/.test(part) ? { run, part: Number(part) } : null;
}
