import { describe, expect, it } from "vitest";
import { LruCache } from "./frame-cache";

describe("the LRU cache", () => {
  it("keeps the most recently used values, up to a byte limit", () => {
    const cache = new LruCache<string>(10);
    cache.set("a", "A", 4);
    cache.set("b", "B", 4);
    expect(cache.get("a")).toBe("A");
    cache.set("c", "C", 4);
    expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual(["A", undefined, "C"]);
    expect(cache.bytes).toBe(8);
  });

  it("counts a replaced value once", () => {
    const cache = new LruCache<number>(10);
    for (let i = 0; i < 5; i++) cache.set("a", i, 6);
    expect([cache.get("a"), cache.bytes]).toEqual([4, 6]);
    cache.delete("a");
    cache.delete("a");
    expect(cache.bytes).toBe(0);
    cache.set("b", 1, 3);
    cache.clear();
    expect([cache.get("b"), cache.bytes]).toEqual([undefined, 0]);
  });

  it("may hold a single value above the limit", () => {
    const cache = new LruCache<string>(10);
    cache.set("a", "A", 4);
    cache.set("large", "L", 99);
    expect([cache.get("a"), cache.get("large")]).toEqual([undefined, "L"]);
    cache.set("a", "A", 4);
    expect([cache.get("a"), cache.get("large"), cache.bytes]).toEqual(["A", undefined, 4]);
  });
});
