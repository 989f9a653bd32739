import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FrameCache } from "./frame-cache";
import { MapIndex } from "./map-index";
import { Prefetch } from "./prefetch";
import { StepRequests } from "./step-requests";

/** Requests for frames, each with a function that fails it. */
let asked: { url: string; signal: AbortSignal; fail: () => void }[] = [];

beforeEach(() => {
  asked = [];
  vi.stubGlobal("location", { pathname: "/", origin: "http://here" });
  vi.stubGlobal("fetch", (url: string, { signal }: { signal: AbortSignal }) => {
    if (!url.includes("format=frame")) return Promise.resolve(Response.json({ items: [] }));
    return new Promise((_, fail) =>
      asked.push({ url, signal, fail: () => fail(new TypeError("away")) }),
    );
  });
});
afterEach(() => vi.unstubAllGlobals());

/** Let everything pending progress as far as it can. */
const settle = () => new Promise((done) => setTimeout(done));

/** Return the first steps of the requested ranges. */
const ranges = () => asked.map(({ url }) => Number(/from=(\d+)/.exec(url)![1]));

function ahead(newest = 1_000) {
  const { signal } = new AbortController();
  const index = new MapIndex("run", signal);
  const requests = new StepRequests("run", 10, () => ({ attempt: 1, step: newest }));
  const cache = new FrameCache(1_000, () => index.drop());
  return { index, prefetch: new Prefetch(cache, index, requests, 500) };
}

describe("a prefetch", () => {
  it("requests nothing before the index is requested", async () => {
    const { prefetch } = ahead();
    prefetch.fetchSteps([70], "umap");
    await settle();
    expect(asked).toEqual([]);
  });

  it("requests each range of steps once, and no empty ones", async () => {
    const { index, prefetch } = ahead();
    await index.loadRefs();
    prefetch.fetchSteps([70, 71, -1, 1_001, 130], "umap");
    await settle();
    expect(ranges()).toEqual([65, 129]);
  });

  it("aborts unlikely requests, except during a scrub", async () => {
    const { index, prefetch } = ahead();
    await index.loadRefs();
    prefetch.fetchSteps([70], "umap");
    await settle();
    prefetch.fetchSteps([200], "umap", true);
    await settle();
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([false, false]);
    prefetch.fetchSteps([200], "umap");
    await settle();
    expect(ranges()).toEqual([65, 193]);
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, false]);
  });
});

describe("a skim", () => {
  it("has three requests in flight, far apart", async () => {
    const { prefetch } = ahead();
    void prefetch.skim("umap");
    await settle();
    expect(ranges()).toEqual([1, 449, 257]);
  });

  it("ends when a request fails, and can restart", async () => {
    const { prefetch } = ahead();
    const over = prefetch.skim("umap");
    await settle();
    for (const { fail } of asked) fail();
    await over;
    expect(asked.length).toBe(3);
    void prefetch.skim("umap");
    await settle();
    expect(asked.length).toBe(6);
  });

  it("is aborted when the past is no longer on display", async () => {
    const { prefetch } = ahead();
    void prefetch.skim("umap");
    await settle();
    prefetch.suspend();
    expect(asked.every(({ signal }) => signal.aborted)).toBe(true);
  });
});
