import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OutputMap } from "./output-map.svelte";

const WAYPOINTS = {
  items: [0, 10, 30].map((step) => ({ attempt: 1, step })),
  tied: false,
  last_map_step: 30,
  map_time: null as number | null,
  no_map: null,
};

/** Responses of a server, by the end of the path; an unknown path fails the test. */
let answers: Record<string, unknown>;
let asked: string[];

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  vi.stubGlobal("fetch", (path: string, init?: RequestInit) => {
    const rest = `${init?.method ?? "GET"} ${path.split("/run-1/")[1]}`;
    asked.push(rest);
    const found = Object.entries(answers).find(([name]) => rest.startsWith(name));
    if (!found) return Promise.reject(new Error(rest));
    return Promise.resolve(Response.json(found[1]));
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const job = (state: string, share = 0, time: number | null = null) => ({
  state,
  share,
  problem: null,
  made: time === null ? null : { time },
});
const layouts = (...steps: number[]) => ({ items: steps.map((step) => ({ step })), next: null });

describe("the map of the output matrix", () => {
  it("is drawn for the presenter, with progress, and shown once it is there", async () => {
    answers = {
      "GET waypoints": WAYPOINTS,
      "GET output-map": job("none"),
      "POST output-map": job("running"),
    };
    const map = new OutputMap("run-1", () => true);
    await vi.advanceTimersByTimeAsync(10);
    expect(map.value?.steps).toEqual([]);
    expect(map.drawing).toBe(false);
    map.showStep(20, "umap");
    expect(asked.some((path) => path.includes("layouts/"))).toBe(false);
    answers["GET output-map"] = job("running", 0.4);
    await map.startDrawing();
    expect(map.drawing).toBe(true);
    answers["GET output-map"] = job("done", 1, 9);
    answers["GET waypoints"] = { ...WAYPOINTS, map_time: 9 };
    answers["GET layouts?set=output&method=umap"] = layouts(0, 10);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(map.value?.steps).toEqual([0, 10]);
    expect(map.lastDrawn).toBe(10);
    // From now on only the job is polled, until it has drawn another.
    asked = [];
    await vi.advanceTimersByTimeAsync(30_000);
    expect(new Set(asked)).toEqual(new Set(["GET waypoints", "GET output-map"]));
    answers["GET waypoints"] = { ...WAYPOINTS, map_time: 10 };
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toContain("GET layouts?set=output&method=umap");
    for (const [step, made] of [
      [20, 10],
      [9, 0],
      [null, 10],
    ] as const) {
      map.showStep(step, "linear");
      expect(asked.at(-1)).toBe(`GET layouts/${made}?set=output&method=linear&format=frame`);
    }
    map.close();
  });

  it("is polled slowly by a viewer, who never requests the job, and is updated when redrawn", async () => {
    answers = { "GET waypoints": WAYPOINTS };
    const map = new OutputMap("run-1", () => false);
    await vi.advanceTimersByTimeAsync(10);
    expect(map.value?.job).toBeNull();
    answers = {
      "GET waypoints": { ...WAYPOINTS, map_time: 9 },
      "GET layouts?set=output&method=umap": layouts(0, 10),
    };
    await vi.advanceTimersByTimeAsync(11_000);
    expect(map.lastDrawn).toBe(10);
    map.showStep(30, "umap");
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(600_000);
    expect(asked.slice(before)).toEqual(Array(10).fill("GET waypoints"));
    answers = {
      "GET waypoints": { ...WAYPOINTS, map_time: 10 },
      "GET layouts?set=output&method=umap": layouts(0, 10, 30),
    };
    await vi.advanceTimersByTimeAsync(60_000);
    expect(map.lastDrawn).toBeNull();
    map.showStep(30, "umap");
    expect(asked.at(-1)).toBe("GET layouts/30?set=output&method=umap&format=frame");
    // The same step, redrawn.
    answers["GET waypoints"] = { ...WAYPOINTS, map_time: 11 };
    await vi.advanceTimersByTimeAsync(60_000);
    map.showStep(30, "umap");
    expect(asked.at(-1)).toBe("GET layouts/30?set=output&method=umap&format=frame");
    map.close();
  });
});
