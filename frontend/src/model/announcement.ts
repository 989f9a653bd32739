/** The screen-reader announcement of the map: its content, and whether it is worth making. Pure. */

import type { Districts } from "../api/frames";
import type { DistrictEvent, Phase } from "../api/rest-types";
import { countKinds } from "./districts/counting";

/** Minimum time between two announcements, in ms; a change of the run's state is announced at once. */
export const MIN_ANNOUNCEMENT_INTERVAL = 12_000;
/** Relative change of the loss below which the trend is steady. */
const STEADY = 0.01;
const DISTRICTS = 3;
const EVENTS = 2;

export interface AnnouncementFacts {
  phase: Phase;
  /** Set while the connection is open. */
  connected: boolean;
  step: number;
  /** Smoothed, because the loss of one batch is noisy. NaN if not known. */
  loss: number;
  /** Rows that the step read; null if not recorded. */
  lit: number | null;
  all: number;
  /** Districts with the most lit rows, in descending order. */
  districts: { name: string; lit: number }[];
  /** District events, by id ascending. */
  events: DistrictEvent[];
}

export interface Announcement {
  facts: AnnouncementFacts;
  /** Set when the phase changed, or the connection opened or closed. */
  stateChanged: boolean;
  /** Null for the first announcement, and if either loss is not known. */
  trend: { since: number; change: number; direction: "down" | "up" | "steady" } | null;
  events: DistrictEvent[];
  moreEvents: number;
}

/** Return the districts that contain the most of these rows. */
export function litDistricts(
  found: Districts | null,
  ids: Iterable<number>,
): AnnouncementFacts["districts"] {
  if (!found) return [];
  return countKinds(ids, (id) => found.of[id] ?? 0)
    .filter(([place]) => place)
    .slice(0, DISTRICTS)
    .map(([place, lit]) => ({ name: found.names[place - 1] ?? "", lit }));
}

/** Return the announcement of the changes since `before`; null if nothing changed, or if it is too soon. */
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
  // The first announcement would list every past event, none of them news.
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
