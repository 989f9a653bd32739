import { describe, expect, it, afterEach, beforeEach, vi } from "vitest";
import {
  lastAtOrBefore,
  lastRefAt,
  likelySteps,
  mapAt,
  rangeOfStep,
  sortByStep,
  spreadSteps,
} from "./step-ranges";
import { FrameCache } from "./frame-cache";
import { MapIndex, type MapRefs } from "./map-index";
import { Prefetch } from "./prefetch";
import { StepRequests } from "./step-requests";
import { PastStore } from "./past-store";

/** Serve a run whose first map is at step 126, and whose linear view starts at step `linear`. */
function serve(linear: number[]) {
  const asked: string[] = [];
  vi.stubGlobal("location", { pathname: "/", origin: "http://here" });
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    const steps = url.includes("method=umap") ? [126, 140] : url.includes("linear") ? linear : [];
    const items = steps.map((step) => ({ attempt: 1, step }));
    return Promise.resolve(Response.json({ items, next: null }));
  });
  const newest = () => ({ attempt: 1, step: 200 });
  const store = new PastStore("run", 10, newest, new AbortController().signal);
  return { store, asked };
}

describe("the past", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("has no map for a step before the first", async () => {
    const { store } = serve([]);
    expect(await store.fetchLayouts(60, "umap")).toEqual({});
    expect(await store.index.mapSteps(60, "umap")).toEqual({ at: null, next: 126 });
  });

  it("requests the other view if the requested one starts later", async () => {
    const { store, asked } = serve([0, 50, 130]);
    await store.fetchLayouts(60, "umap").catch(() => undefined);
    expect(asked.at(-1)).toContain("places?from=0&to=50&method=linear");
  });
});

beforeEach(() => {
  vi.stubGlobal("location", { pathname: "/", origin: "http://here" });
  return () => vi.unstubAllGlobals();
});

const refsOf = (...steps: number[]) => steps.map((step) => ({ attempt: 2, step }));

const refs: MapRefs = {
  layouts: { umap: refsOf(60, 70, 90, 140), linear: refsOf(0) },
  districts: refsOf(80),
  set: "&set=again",
};

function requests(vocabulary = 10, attempt = 1) {
  return new StepRequests("town", vocabulary, () => ({ attempt, step: 100 }));
}

describe("the requests of a step", () => {
  it("cover the light of its range, as far as training has come", () => {
    expect(requests().light(70)[1]).toContain("steps?from=65&to=100&");
    expect(requests().light(3)[1]).toContain("steps?from=1&to=64&");
    // A future step is requested all the same: the server's error says which ones exist.
    expect(requests().light(110)[1]).toContain("steps?from=65&to=110&");
  });

  it("name the attempt, so that browsers cache the response, only if no other attempt took steps", () => {
    expect(requests().light(70)[1]).toContain("&attempt=1");
    expect(requests(10, 2).light(70)[1]).not.toContain("attempt=");
    expect(requests().light(110)[1]).not.toContain("attempt=");
  });

  it("request the light under another key once it is renewed", () => {
    const made = requests();
    const [before] = made.light(70);
    expect(made.light(80)[0]).toBe(before);
    made.renewLight();
    expect(made.light(70)[0]).not.toBe(before);
  });

  it("combine the maps of a range, but not for a large vocabulary", () => {
    const [small] = requests().layouts(refs, 100, "umap");
    expect(small![1]).toContain("places?from=70&to=90&method=umap&set=again&");
    expect(small![2]).toBe(90);
    const [large] = requests(50_000).layouts(refs, 100, "umap");
    expect(large![1]).toContain("places?from=90&to=90&");
  });

  it("include a map and districts only if there are any by then", () => {
    const kinds = (step: number) =>
      requests()
        .requestsOf(refs, step, "umap")
        .map(([key]) => key.split(" ")[0]);
    expect(kinds(85)).toEqual(["light", "layouts", "districts"]);
    expect(kinds(75)).toEqual(["light", "layouts"]);
    expect(requests().layouts({ ...refs, layouts: { umap: refsOf(60), linear: [] } }, 59, "umap")).toEqual([]); // prettier-ignore
  });
});

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

describe("ranges of steps", () => {
  it("are disjoint and leave no step out", () => {
    expect(rangeOfStep(0)).toEqual({ first: 1, last: 64 });
    let end = 0;
    for (let step = 1; step <= 200; step++) {
      const { first, last } = rangeOfStep(step);
      expect(first <= step && step <= last).toBe(true);
      if (step > end) {
        expect(first).toBe(end + 1);
        end = last;
      }
    }
  });
});

describe("the item of a step", () => {
  const made = [0, 3, 7, 8].map((step) => ({ attempt: 1, step }));

  it("is the last one at or before it", () => {
    expect([0, 1, 3, 6, 7, 8, 900].map((step) => lastRefAt(made, step))).toEqual([
      0, 0, 1, 1, 2, 3, 3,
    ]);
    expect(lastRefAt(made.slice(1), 2)).toBe(-1);
    expect(lastRefAt([], 2)).toBe(-1);
    expect(lastAtOrBefore([0, 3], Infinity)).toBe(1);
  });

  it("is the last of several for one step, in any order of arrival", () => {
    const unsorted = [7, 3, 3, 9].map((step, i) => ({ attempt: i, step }));
    expect(sortByStep(unsorted)).toEqual([
      { attempt: 2, step: 3 },
      { attempt: 0, step: 7 },
      { attempt: 3, step: 9 },
    ]);
  });
});

describe("the likely next steps", () => {
  it("continue a drag, or are the neighbours of the step on display", () => {
    expect(likelySteps(100, -7, true)).toEqual([93, 86, 79]);
    expect(likelySteps(100, 0, true)).toContain(101);
    expect(likelySteps(100, 1, false).slice(0, 2)).toEqual([101, 99]);
    expect(likelySteps(100, -1, false).slice(0, 2)).toEqual([99, 101]);
  });
});

describe("the steps that a drag may pass", () => {
  it("are spread over the run, far apart first, each in the middle of its range", () => {
    const steps = spreadSteps(5_000);
    expect(steps).toHaveLength(64);
    expect(steps.slice(0, 4).map((step) => Math.round(step / 1_250))).toEqual([0, 2, 1, 3]);
    const sorted = steps.toSorted((a, b) => a - b);
    expect(Math.max(...sorted.slice(1).map((step, i) => step - sorted[i]!))).toBeLessThan(192);
    for (const step of steps) expect(step - rangeOfStep(step).first).toBe(32);
  });

  it("are distinct, and exist even in a short run", () => {
    expect(spreadSteps(100).toSorted((a, b) => a - b)).toEqual([33, 97]);
    expect(spreadSteps(3)).toEqual([]);
  });
});

describe("the map at a step", () => {
  const refs = {
    umap: [126, 140].map((step) => ({ attempt: 1, step })),
    linear: [5, 130].map((step) => ({ attempt: 1, step })),
  };
  const at = (step: number, method: "umap" | "linear") => {
    const found = mapAt(refs, step, method);
    return found && [found.method, found.ref.step];
  };

  it("is the last one of the requested view", () => {
    expect(at(126, "umap")).toEqual(["umap", 126]);
    expect(at(139, "umap")).toEqual(["umap", 126]);
    expect(at(139, "linear")).toEqual(["linear", 130]);
  });

  it("is of the other view before that starts, and never a later one", () => {
    expect(at(125, "umap")).toEqual(["linear", 5]);
    expect(at(4, "umap")).toBeNull();
    expect(mapAt({ ...refs, linear: [] }, 125, "umap")).toBeNull();
  });
});
