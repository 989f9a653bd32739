import { describe, expect, it } from "vitest";
import type { LayoutMethod } from "../../api/frames";
import type { Status } from "../../api/rest-types";
import type { PastStore } from "../past/past-store";
import { PastSet } from "./shown-run.svelte";

function pastSet(status: Partial<Status> = {}) {
  const set = new PastSet(
    () => ({ phase: "finished", step: 100, steps: 100, smoothed: 100, ...status }) as Status,
  );
  const answers: (() => void)[] = [];
  const past = {
    invalidate: () => undefined,
    fetchLayouts: (step: number, method: LayoutMethod) =>
      new Promise((done) => answers.push(() => done({ [method]: { method, step } }))),
  } as unknown as PastStore;
  const answer = async () => {
    for (const one of answers.splice(0)) one();
    await new Promise((done) => setTimeout(done));
  };
  return { set, past, answer };
}

describe("a run that has ended", () => {
  it("rests on its last smoothed maps, and shows none until they are there", async () => {
    const { set, past, answer } = pastSet();
    set.choose(null);
    void set.fetchRest(past, true);
    expect(set.rest).toEqual({});
    await answer();
    expect(set.rest?.umap?.step).toBe(100);
    expect(set.rest?.linear?.step).toBe(100);
  });

  it("glides there when it is smoothed in view, and back to the live map", async () => {
    const { set, past, answer } = pastSet();
    expect(set.choose(past)).toBe(true);
    expect(set.rest).toBeNull();
    await answer();
    expect(set.rest?.umap?.step).toBe(100);
    set.wanted = "live";
    expect(set.choose(past)).toBe(true);
    expect(set.rest).toBeNull();
  });

  it("ignores a map that arrives after another was chosen", async () => {
    const { set, past, answer } = pastSet();
    set.choose(past);
    set.wanted = "live";
    set.choose(past);
    await answer();
    expect(set.rest).toBeNull();
  });
});
