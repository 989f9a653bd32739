import { describe, expect, it } from "vitest";
import { LruCache } from "./lru-cache";

describe("what is kept", () => {
  it("is what was looked at last, up to so many bytes", () => {
    const keep = new LruCache<string>(10);
    keep.set("a", "A", 4);
    keep.set("b", "B", 4);
    expect(keep.get("a")).toBe("A");
    keep.set("c", "C", 4);
    expect([keep.get("a"), keep.get("b"), keep.get("c")]).toEqual(["A", undefined, "C"]);
    expect(keep.bytes).toBe(8);
  });

  it("is counted once, whatever takes its place", () => {
    const keep = new LruCache<number>(10);
    for (let i = 0; i < 5; i++) keep.set("a", i, 6);
    expect([keep.get("a"), keep.bytes]).toEqual([4, 6]);
    keep.delete("a");
    keep.delete("a");
    expect(keep.bytes).toBe(0);
    keep.set("b", 1, 3);
    keep.clear();
    expect([keep.get("b"), keep.bytes]).toEqual([undefined, 0]);
  });

  it("may be one thing that is larger than all", () => {
    const keep = new LruCache<string>(10);
    keep.set("a", "A", 4);
    keep.set("large", "L", 99);
    expect([keep.get("a"), keep.get("large")]).toEqual([undefined, "L"]);
    keep.set("a", "A", 4);
    expect([keep.get("a"), keep.get("large"), keep.bytes]).toEqual(["A", undefined, 4]);
  });
});
