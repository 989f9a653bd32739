/** The whole embedding after a step, or after the newest exact step before it. */

import { decode, type Rows } from "./frames";
import { FrameError } from "./binary-reader";
import { ask, askBytes, runPath } from "./rest";
import { Refusal, said } from "./failure";

interface Kept {
  /** First and last steps of the ranges that rebuild exactly. */
  stretches: [number, number][];
  next: string | null;
}

/**
 * Fetch the matrix at the newest exact step at or before `step`. Throws `ApiError` if there is
 * none, or if the response is no matrix.
 */
export async function fetchMatrix(run: string, step: number, signal: AbortSignal): Promise<Rows> {
  try {
    return await fetchExactly(run, step, signal);
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 404) throw error;
    const kept = await keptBefore(run, step, signal);
    if (kept === null) throw error;
    return await fetchExactly(run, kept, signal);
  }
}

async function fetchExactly(run: string, step: number, signal: AbortSignal): Promise<Rows> {
  const data = await askBytes(runPath(run, `snapshots/${step}?format=frame`), { signal });
  try {
    const frame = decode(data);
    if (frame.kind === "rows" && frame.whole) return frame;
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    throw new Refusal(0, said(error.message));
  }
  throw new Refusal(0, { code: "noMatrix" });
}

async function keptBefore(run: string, step: number, signal: AbortSignal): Promise<number | null> {
  let last: number | null = null;
  let path: string | null = runPath(run, `snapshots?from=0&to=${step}&limit=10000`);
  while (path) {
    const page: Kept = await ask<Kept>(path, { signal });
    last = page.stretches.at(-1)?.[1] ?? last;
    path = page.next;
  }
  return last;
}
