/** What a screen reader is told of the city: what there is to say now, and whether it is worth saying. Pure. */

import type { Districts } from "../wire/frames";
import type { DistrictEvent, Phase } from "../wire/rest";

/** Least time between two tellings, in ms; what happens to the run itself is told at once. */
export const CALM = 12_000;
/** So small a part of the loss is no trend. */
const STEADY = 0.01;
const DISTRICTS = 3;
const EVENTS = 2;

export interface Facts {
  phase: Phase;
  /** The connection is there. */
  linked: boolean;
  step: number;
  /** Smoothed: the loss of one batch jumps about. NaN where not known. */
  loss: number;
  lit: number;
  all: number;
  /** Districts with the most lit rows, the most first. */
  districts: { name: string; lit: number }[];
  /** What happened to districts, by id ascending. */
  events: DistrictEvent[];
}

export interface Telling {
  facts: Facts;
  /** Another phase, or the connection went or came. */
  turned: boolean;
  /** Null at first, and where either loss is not known. */
  trend: { since: number; change: number; way: "down" | "up" | "steady" } | null;
  events: DistrictEvent[];
  moreEvents: number;
}

/** In which districts most of these rows lie. */
export function litDistricts(found: Districts | null, ids: Iterable<number>): Facts["districts"] {
  if (!found) return [];
  const counts = new Map<number, number>();
  for (const id of ids) {
    const place = found.of[id] ?? 0;
    if (place) counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, DISTRICTS)
    .map(([place, lit]) => ({ name: found.names[place - 1] ?? "", lit }));
}

/** What is new since `before`; null where nothing is, or where it is too soon to speak again. */
export function telling(now: Facts, before: Facts | null, elapsed: number): Telling | null {
  const turned = before !== null && (now.phase !== before.phase || now.linked !== before.linked);
  const fresh = before === null || now.step !== before.step || turned;
  if (!fresh || (before !== null && !turned && elapsed < CALM)) return null;
  const last = before?.events.at(-1)?.id;
  // At first everything that ever happened is there: that is no news.
  const news = now.events.filter(({ id, step }) =>
    last === undefined ? before !== null && step > before.step : id > last,
  );
  return {
    facts: now,
    turned,
    trend: before && trendOf(now, before),
    events: news.slice(-EVENTS),
    moreEvents: Math.max(0, news.length - EVENTS),
  };
}

function trendOf(now: Facts, before: Facts): Telling["trend"] {
  const change = now.loss - before.loss;
  if (!Number.isFinite(change) || now.step <= before.step) return null;
  const way = Math.abs(change) < STEADY * before.loss ? "steady" : change < 0 ? "down" : "up";
  return { since: before.step, change: Math.abs(change), way };
}
