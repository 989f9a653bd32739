/** Starts the examiner of a run ahead of a question, because starting it takes seconds. */

import { requestJson, runPath } from "../../api/rest";

/** Time for which a pointer rests on what it is about to press, in ms. */
const REST = 150;
/** Time for which an examiner that has started stays, at least, in ms. */
const STAYS = 300_000;

/** When the examiner of each run was last started from this page. */
const startedAt = new Map<string, number>();

/**
 * Return an attachment that starts a run's examiner once its element has the focus or a pointer rests on it;
 * null: no examiner. Only a presenter may start one.
 */
export function startsExaminer(run: { readonly id: string } | null) {
  return (element: HTMLElement) => {
    if (!run) return;
    const { id } = run;
    const abort = new AbortController();
    const { signal } = abort;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const start = () => {
      const now = performance.now();
      if (now - (startedAt.get(id) ?? -Infinity) < STAYS) return;
      startedAt.set(id, now);
      // The question itself starts one, too, and says what is wrong.
      requestJson(runPath(id, "examiner"), { method: "POST" }).catch(() => undefined);
    };
    element.addEventListener("focusin", start, { signal });
    element.addEventListener("pointerenter", () => (timer = setTimeout(start, REST)), { signal });
    element.addEventListener("pointerleave", () => clearTimeout(timer), { signal });
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  };
}
