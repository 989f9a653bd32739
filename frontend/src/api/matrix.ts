/** The whole embedding after a step, or after the newest exact step before it. */

import { requestFrames } from "./frame-request";
import type { Rows } from "./frames";
import { requestJson, runPath } from "./rest";
import type { Answer } from "./rest-types";
import { ApiError } from "./failure";

/**
 * Fetch the matrix at the newest exact step at or before `step`. Throws `ApiError` if there is none, or if
 * the response is not a matrix.
 */
export async function fetchMatrix(run: string, step: number, signal: AbortSignal): Promise<Rows> {
  try {
    return await fetchExactMatrix(run, step, signal);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    const kept = await lastExactStep(run, step, signal);
    if (kept === null) throw error;
    return await fetchExactMatrix(run, kept, signal);
  }
}

async function fetchExactMatrix(run: string, step: number, signal: AbortSignal): Promise<Rows> {
  const [frame] = await requestFrames(runPath(run, `snapshots/${step}?format=frame`), signal);
  if (frame?.kind === "rows" && frame.whole) return frame;
  throw new ApiError(0, { code: "noMatrix" });
}

async function lastExactStep(
  run: string,
  step: number,
  signal: AbortSignal,
): Promise<number | null> {
  let last: number | null = null;
  let path: string | null = runPath(run, `snapshots?from=0&to=${step}&limit=10000`);
  while (path) {
    const page: Answer<"GET /api/runs/{run}/snapshots"> = await requestJson(path, { signal });
    last = page.stretches.at(-1)?.[1] ?? last;
    path = page.next;
  }
  return last;
}
