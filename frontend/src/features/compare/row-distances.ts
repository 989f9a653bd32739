/** How far each row is from the same word's row in another run. */

import { requestArray } from "../../api/npy";
import { runPath } from "../../api/rest";
import type { SpokenLight } from "../../model/light";
import { NearestTokens } from "../../model/plane/nearest";
import type { DifferenceBy } from "../../model/view/view-options";

/** By token id: distances, and how many of a word's nearest words are others; NaN: not known. */
export type RowDistances = Readonly<Record<DifferenceBy, Float32Array>>;

/** Neighbours that the server compares, if there are as many words. */
const NEIGHBOURS = 10;
/** One in this many lights glows, and at most `MAX_GLOWING` do. */
const GLOWING_SHARE = 20;
const MAX_GLOWING = 120;

/** Fetch the distances between the rows of two runs at a step of the first. Throws `ApiError`, or the abort. */
export async function fetchRowDistances(
  run: string,
  other: string,
  step: number,
  signal: AbortSignal,
): Promise<RowDistances> {
  const path = `difference/rows?with=${encodeURIComponent(other)}&step=${step}&format=npy`;
  const { numbers } = await requestArray(runPath(run, path), signal);
  return distancesFrom(numbers);
}

/** Return the distances in the server's three rows: raw, aligned, and neighbours kept. */
export function distancesFrom(numbers: Float32Array): RowDistances {
  const words = numbers.length / 3;
  const [raw, aligned, kept] = [0, 1, 2].map((row) =>
    numbers.slice(row * words, (row + 1) * words),
  ) as [Float32Array, Float32Array, Float32Array];
  const known = kept.filter((value) => !Number.isNaN(value)).length;
  const most = Math.min(NEIGHBOURS, Math.max(0, known - 1));
  return {
    raw,
    // The rotation would move rows that are equal in every bit.
    aligned: aligned.map((value, id) => (raw[id] === 0 ? 0 : value)),
    neighbours: kept.map((value) => most - value),
  };
}

/** Return a light of the words that differ most: what is equal sleeps. */
export function lightOfDistances(distances: Float32Array, step: number): SpokenLight {
  const farthest = new NearestTokens(
    Math.min(MAX_GLOWING, Math.ceil(distances.length / GLOWING_SHARE)),
  );
  // The farthest are the nearest by negative distance.
  for (let id = 0; id < distances.length; id++)
    if (distances[id]! > 0) farthest.offer(id, -distances[id]!);
  const ids = Uint32Array.from(farthest.kept);
  const norms = Float32Array.from(ids, (id) => distances[id]!);
  return { step, ids, norms, duration: Infinity, atOnce: true, said: true };
}
