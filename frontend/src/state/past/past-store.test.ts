import { afterEach, describe, expect, it, vi } from "vitest";
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
