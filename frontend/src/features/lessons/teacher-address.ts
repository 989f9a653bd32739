/** The address of a page for the teacher, which the browser opens in the place of the map. Pure. */

import { formatViewState, parseViewState } from "../../model/view/view-state";

/** Return the address of the page about a part, with the numbers of a run; part 0 is the page before the first. */
export function teacherAddress(run: string, part: number): string {
  return `${formatViewState({ run })}&teacher=${part}`;
}

/** Return the run and the part that an address names; null: it is none of a page for the teacher. */
export function parseTeacherAddress(query: string): { run: string; part: number } | null {
  const part = new URLSearchParams(query).get("teacher") ?? "";
  const { run } = parseViewState(query);
  return run !== null && /^\d{1,2}$/.test(part) ? { run, part: Number(part) } : null;
}
