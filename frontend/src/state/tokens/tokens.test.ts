import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FocusedToken } from "./token-focus.svelte";
import { PairSimilarity } from "./pair-similarity.svelte";
import type { Districts, Layout } from "../../api/frames";
import { buildVocabulary } from "../../api/vocabulary";
import { combineSets, tokensOfRule } from "./set-operations";
import { doubtfulTokens, tokenTrust } from "./token-trust";

const words = ["sing", "King", "dog", "<b>ing", "cat"];
const vocabulary = buildVocabulary(
  "run",
  words.map((token, id) => {
    return {
      token_id: id,
      token,
      text: token,
      count: 1,
      class: id === 2 || id === 4 ? "animals" : null,
    };
  }),
  [{ name: "animals" }],
);
const districts = {
  ...{ kind: "districts", attempt: 1, step: 5, time: 0, vocabulary: 5, names: ["a", "b"] },
  ...{ ids: Uint32Array.of(3, 7), of: Uint16Array.of(1, 2, 0, 2, 1) },
} as Districts;

describe("set operations", () => {
  it("combine sets, with each token once", () => {
    expect(combineSets([3, 1], [2, 3], "new")).toEqual([2, 3]);
    expect(combineSets([3, 1], [2, 3], "add")).toEqual([1, 2, 3]);
    expect(combineSets([3, 1], [2, 3], "take")).toEqual([1]);
  });

  it("find the tokens of a rule, or wait for its districts", () => {
    expect(tokensOfRule({ by: "search", text: "ING" }, vocabulary, null)).toEqual([0, 1, 3]);
    expect(tokensOfRule({ by: "class", which: 0 }, vocabulary, null)).toEqual([2, 4]);
    expect(tokensOfRule({ by: "district", which: 7 }, vocabulary, districts)).toEqual([1, 3]);
    expect(tokensOfRule({ by: "district", which: 7 }, vocabulary, null)).toBeNull();
    // A district that is gone, or an unknown class.
    expect(tokensOfRule({ by: "district", which: 4 }, vocabulary, districts)).toEqual([]);
    expect(tokensOfRule({ by: "class", which: 9 }, vocabulary, null)).toEqual([]);
  });
});

const layout = (byToken: number[] | null) =>
  ({ byToken: byToken && Uint8Array.from(byToken) }) as Layout;

describe("doubtful positions", () => {
  it("are those with a trust below a quarter", () => {
    expect(doubtfulTokens(layout([255, 0, 63, 64, 200]))).toEqual([1, 2]);
    expect(tokenTrust(layout([255, 51]), 1)).toBeCloseTo(0.2);
  });

  it("are unknown if the layout has no trust", () => {
    expect(doubtfulTokens(layout(null))).toBeNull();
    expect(doubtfulTokens(null)).toBeNull();
    expect(tokenTrust(layout(null), 0)).toBeNull();
    expect(tokenTrust(layout([1]), 5)).toBeNull();
  });
});

let paths: string[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  paths = [];
  vi.stubGlobal("fetch", (path: string) => {
    paths.push(path.replace("/api/runs/run/", ""));
    return Promise.resolve(Response.json({ step: paths.length }));
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

describe("the focused token", () => {
  it("is requested when chosen, and again only if the run has advanced", async () => {
    let newest = 7;
    const focused = new FocusedToken("run", () => newest);
    focused.choose(3);
    await pass(0);
    expect(paths).toEqual(["tokens/3", "neighbours?token_id=3&k=12"]);
    await pass(20_000);
    expect(paths).toHaveLength(2);
    newest = 8;
    await pass(2_000);
    expect(paths).toHaveLength(4);
    focused.close();
  });

  it("is requested only at the last step of a scrub, and keeps its old answer", async () => {
    const focused = new FocusedToken("run", () => 100);
    focused.choose(3);
    await pass(0);
    const { detail } = focused;
    expect(detail).not.toBeNull();
    for (const step of [10, 11, 12]) {
      focused.setStep(step);
      await pass(100);
    }
    expect(focused.detail).toBe(detail);
    await pass(20);
    expect(paths.slice(2)).toEqual(["tokens/3?step=12", "neighbours?token_id=3&k=12&step=12"]);
    expect(focused.detail).not.toBe(detail);
    focused.choose(4);
    expect(focused.detail).toBeNull();
    focused.close();
  });

  it("keeps the reason for a rejected token until another is chosen", async () => {
    const focused = new FocusedToken("run", () => 7);
    focused.choose(3);
    focused.reject({ code: "noToken" });
    await pass(10_000);
    expect(focused.token).toBeNull();
    expect(focused.detail).toBeNull();
    expect(focused.problem).toEqual({ code: "noToken" });
    focused.choose(4);
    expect(focused.problem).toBeNull();
    focused.close();
  });
});

describe("the similarity of pairs", () => {
  it("is measured repeatedly while the rows move, and once otherwise", async () => {
    const similarity = new PairSimilarity();
    similarity.measure("run", [1, 2], null, true);
    await pass(150);
    await pass(2_500);
    await pass(2_500);
    expect(paths).toEqual(Array<string>(3).fill("pairs?token_ids=1,2"));
    similarity.measure("run", [1, 2], 40, false);
    expect(similarity.value).not.toBeNull();
    await pass(20_000);
    expect(paths.slice(3)).toEqual(["pairs?token_ids=1,2&step=40"]);
    similarity.close();
  });

  it("waits for the last of several tokens, and drops the numbers of other tokens", async () => {
    const similarity = new PairSimilarity();
    similarity.measure("run", [1, 2], null, false);
    await pass(100);
    similarity.measure("run", [1, 2, 3], null, false);
    await pass(150);
    expect(paths).toEqual(["pairs?token_ids=1,2,3"]);
    expect(similarity.value).not.toBeNull();
    similarity.measure("run", [1], null, false);
    expect(similarity.value).toBeNull();
    await pass(20_000);
    expect(paths).toHaveLength(1);
    similarity.close();
  });
});
