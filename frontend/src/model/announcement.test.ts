import { describe, expect, it } from "vitest";
import type { Districts } from "../api/frames";
import {
  MIN_ANNOUNCEMENT_INTERVAL,
  litDistricts,
  nextAnnouncement,
  type AnnouncementFacts,
} from "./announcement";

const event = (id: number) => ({
  id,
  time: 0,
  attempt: 1,
  step: 100 + id,
  kind: "born",
  message: `district ${id}`,
});
const facts = (changes: Partial<AnnouncementFacts> = {}): AnnouncementFacts => ({
  phase: "running",
  connected: true,
  step: 100,
  loss: 3,
  lit: 12,
  all: 400,
  districts: [],
  events: [],
  ...changes,
});

describe("the announcement", () => {
  it("comes at first, then calmly and only with news", () => {
    expect(nextAnnouncement(facts(), null, 0)).not.toBeNull();
    expect(
      nextAnnouncement(facts({ step: 120 }), facts(), MIN_ANNOUNCEMENT_INTERVAL - 1),
    ).toBeNull();
    expect(
      nextAnnouncement(facts({ step: 120 }), facts(), MIN_ANNOUNCEMENT_INTERVAL),
    ).not.toBeNull();
    expect(nextAnnouncement(facts(), facts(), 10 * MIN_ANNOUNCEMENT_INTERVAL)).toBeNull();
  });

  it("comes at once when the state of the run changes", () => {
    expect(nextAnnouncement(facts({ phase: "finished" }), facts(), 0)?.stateChanged).toBe(true);
    expect(nextAnnouncement(facts({ connected: false }), facts(), 0)?.stateChanged).toBe(true);
  });

  it("has a trend unless a loss is unknown", () => {
    const later = (loss: number) =>
      nextAnnouncement(facts({ step: 200, loss }), facts(), MIN_ANNOUNCEMENT_INTERVAL)?.trend;
    expect(later(2.5)).toEqual({ since: 100, change: 0.5, direction: "down" });
    expect(later(3.5)?.direction).toBe("up");
    expect(later(2.99)?.direction).toBe("steady");
    expect(later(NaN)).toBeNull();
    expect(nextAnnouncement(facts(), null, 0)?.trend).toBeNull();
  });

  it("has the district events since the last announcement, not older ones", () => {
    const past = [event(1), event(2)];
    expect(nextAnnouncement(facts({ events: past }), null, 0)?.events).toEqual([]);
    const now = facts({ step: 200, events: [...past, event(3), event(4), event(5)] });
    const announcement = nextAnnouncement(now, facts({ events: past }), MIN_ANNOUNCEMENT_INTERVAL);
    expect(announcement?.events.map(({ id }) => id)).toEqual([4, 5]);
    expect(announcement?.moreEvents).toBe(1);
    expect(
      nextAnnouncement(facts({ step: 200, events: [event(1)] }), facts(), MIN_ANNOUNCEMENT_INTERVAL)
        ?.events,
    ).toHaveLength(1);
  });

  it("names the districts with the most lit rows", () => {
    const found = {
      names: ["animals", "numbers"],
      of: Uint16Array.from([1, 1, 2, 0, 2, 2]),
    } as unknown as Districts;
    expect(litDistricts(found, Uint32Array.from([0, 2, 3, 4, 5, 99]))).toEqual([
      { name: "numbers", lit: 3 },
      { name: "animals", lit: 1 },
    ]);
    expect(litDistricts(null, Uint32Array.from([0]))).toEqual([]);
  });
});
