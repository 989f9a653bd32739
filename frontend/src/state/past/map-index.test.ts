import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../../api/failure";
import type { Layout } from "../../api/frames";
import { MapIndex } from "./map-index";

let asked: string[] = [];
/** Set while the server is away. */
let away = false;

beforeEach(() => {
  asked = [];
  away = false;
  vi.stubGlobal("location", { pathname: "/", origin: "http://here" });
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    if (away) return Promise.reject(new TypeError("away"));
    const steps = url.includes("method=umap") ? [126, 140] : [];
    const items = steps.map((step) => ({ attempt: 1, step }));
    return Promise.resolve(Response.json({ items, next: null }));
  });
});
afterEach(() => vi.unstubAllGlobals());

const layoutOf = (step: number) => ({ kind: "layout", method: "umap", attempt: 1, step }) as Layout;

function open() {
  return new MapIndex("run", new AbortController().signal);
}

describe("the index of maps", () => {
  it("adds a new map once, if it was loaded", async () => {
    const index = open();
    index.addFrame(layoutOf(200));
    expect(asked).toEqual([]);
    await index.loadRefs();
    for (const step of [200, 200, 150]) index.addFrame(layoutOf(step));
    const { layouts } = await index.loadRefs();
    expect(layouts.umap.map(({ step }) => step)).toEqual([126, 140, 200]);
    expect(asked.length).toBe(3);
  });

  it("is reloaded for the other set of maps", async () => {
    const index = open();
    expect((await index.loadRefs()).set).toBe("");
    index.chooseSet(true);
    expect((await index.loadRefs()).set).toBe("&set=again");
    expect(asked.filter((url) => url.includes("set=again")).length).toBe(2);
  });

  it("is requested again after the server was away", async () => {
    const index = open();
    away = true;
    await expect(index.loadRefs()).rejects.toThrow(ApiError);
    away = false;
    expect(await index.mapSteps(130, "umap")).toEqual({ at: 126, next: 140 });
  });

  it("is reloaded if the server lacks a listed map", async () => {
    const index = open();
    const found: number[] = [];
    const lacking = (status: number) =>
      index.findIn(({ layouts }) => {
        found.push(layouts.umap.length);
        index.drop();
        return Promise.reject(new ApiError(status, { code: "noMapAt", step: 1 }));
      });
    await expect(lacking(404)).rejects.toThrow(ApiError);
    expect([found.length, asked.length]).toEqual([2, 6]);
    await expect(lacking(503)).rejects.toThrow(ApiError);
    expect(found.length).toBe(3);
  });
});
