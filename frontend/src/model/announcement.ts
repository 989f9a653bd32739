/**
 * The screen-reader announcement of the map: what there is to say now, and whether it is worth
 * saying. Pure.
 */

import type { Districts } from "../api/frames";
import type { DistrictEvent, Phase } from "../api/rest-types";

/**
 * Least time between two announcements, in ms; a change of the run's own state is announced at
 * once.
 */
export const MIN_ANNOUNCEMENT_INTERVAL = 12_000;
/** Relative change of the loss below which there is no trend. */
const STEADY = 0.01;
const DISTRICTS = 3;
const EVENTS = 2;

export interface AnnouncementFacts {
  phase: Phase;
  /** Set while the connection is open. */
  connected: boolean;
  step: number;
  /** Smoothed, because the loss of one batch is noisy. NaN where not known. */
  loss: number;
  /** Rows that the step read; null where that is not recorded. */
  lit: number | null;
  all: number;
  /** Districts with the most lit rows, the most first. */
  districts: { name: string; lit: number }[];
  /** District events, by id ascending. */
  events: DistrictEvent[];
}

export interface Announcement {
  facts: AnnouncementFacts;
  /** Set when the phase changed, or the connection opened or closed. */
  stateChanged: boolean;
  /** Null for the first announcement, and where either loss is not known. */
  trend: { since: number; change: number; direction: "down" | "up" | "steady" } | null;
  events: DistrictEvent[];
  moreEvents: number;
}

/** Return the districts that hold the most of these rows. */
export function litDistricts(
  found: Districts | null,
  ids: Iterable<number>,
): AnnouncementFacts["districts"] {
  if (!found) return [];
  const counts = new Map<number, number>();
  for (const id of ids) {
    const district = found.of[id] ?? 0;
    if (district) counts.set(district, (counts.get(district) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, DISTRICTS)
    .map(([place, lit]) => ({ name: found.names[place - 1] ?? "", lit }));
}

/**
 * Return the announcement of the changes since `before`; null where nothing changed, or where it is
 * too soon to speak again.
 */
export function nextAnnouncement(
  now: AnnouncementFacts,
  before: AnnouncementFacts | null,
  elapsed: number,
): Announcement | null {
  const stateChanged =
    before !== null && (now.phase !== before.phase || now.connected !== before.connected);
  const fresh = before === null || now.step !== before.step || stateChanged;
  if (!fresh || (before !== null && !stateChanged && elapsed < MIN_ANNOUNCEMENT_INTERVAL))
    return null;
  const last = before?.events.at(-1)?.id;
  // The first announcement would list every event of the past, and none of them is news.
  const announcement = now.events.filter(({ id, step }) =>
    last === undefined ? before !== null && step > before.step : id > last,
  );
  return {
    facts: now,
    stateChanged,
    trend: before && trendOf(now, before),
    events: announcement.slice(-EVENTS),
    moreEvents: Math.max(0, announcement.length - EVENTS),
  };
}

function trendOf(now: AnnouncementFacts, before: AnnouncementFacts): Announcement["trend"] {
  const change = now.loss - before.loss;
  if (!Number.isFinite(change) || now.step <= before.step) return null;
  const direction = Math.abs(change) < STEADY * before.loss ? "steady" : change < 0 ? "down" : "up";
  return { since: before.step, change: Math.abs(change), direction };
}
