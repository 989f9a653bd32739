/** The distance that each row moved between two steps. */

import { requestArray } from "../../api/npy";
import { runPath } from "../../api/rest";

export interface Displacements {
  /** The two steps: those requested, or the nearest exact ones before them. */
  from: number;
  to: number;
  /** Euclidean, by token id. */
  distances: Float32Array;
}

/**
 * Fetch how far each row moved in the last `stepsBack` steps up to `to`; 0: since the start. Throws
 * `ApiError`, or the abort.
 */
export async function fetchDisplacements(
  run: string,
  to: number,
  stepsBack: number,
  signal: AbortSignal,
): Promise<Displacements> {
  const from = stepsBack ? Math.max(0, to - stepsBack) : 0;
  const path = runPath(run, `displacements?from=${from}&to=${to}&nearest=true&format=npy`);
  const found = await requestArray(path, signal);
  return { from: found.from ?? from, to: found.step ?? to, distances: found.numbers };
}
