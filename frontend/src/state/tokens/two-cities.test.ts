import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TwoCities } from "./two-cities.svelte";

let paths: string[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  paths = [];
  vi.stubGlobal("fetch", (path: string) => {
    paths.push(path.replace("/api/runs/run/neighbours?", ""));
    // The last stored output matrix is of step 750.
    return Promise.resolve(
      Response.json({ step: 750, exact: path.includes("step=750"), items: [] }),
    );
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the neighbours in both matrices", () => {
  it("are of one step, the last with a stored output matrix", async () => {
    const both = new TwoCities("run");
    both.compareAt(3, 812);
    await vi.advanceTimersByTimeAsync(200);
    expect(paths).toEqual(["token_id=3&k=8&step=812&matrix=out", "token_id=3&k=8&step=750"]);
    expect(both.value?.foretells.step).toBe(both.value?.foretold.step);
    both.compareAt(3, 812);
    await vi.advanceTimersByTimeAsync(200);
    expect(paths).toHaveLength(2);
    both.compareAt(null, 812);
    expect(both.value).toBeNull();
    both.close();
  });
});
