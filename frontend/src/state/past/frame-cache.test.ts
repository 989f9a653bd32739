import { readFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it, vi, describe } from "vitest";
import { ApiError } from "../../api/failure";
import { FrameCache, LruCache } from "./frame-cache";

const PULSE = readFileSync(new URL("../../../../tests/golden/pulse-all.bin", import.meta.url));

let server: Server;
let house: string;
/** Unanswered requests, by path. */
const open = new Map<string, ServerResponse>();
let requests = 0;

beforeAll(async () => {
  server = createServer((request, answer) => {
    requests += 1;
    open.set(request.url!, answer);
    answer.on("close", () => open.delete(request.url!));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  house = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function answer(path: string, status = 200) {
  await vi.waitFor(() => expect(open.has(path)).toBe(true));
  open
    .get(path)!
    .writeHead(status)
    .end(status === 200 ? PULSE : "{}");
}

const wanted = (name: string): [string, string] => [name, `${house}/${name}`];

it("sends one request for two callers, and caches the response", async () => {
  const cache = new FrameCache(1 << 20, () => {});
  const before = requests;
  const both = [cache.fetch(wanted("a")), cache.fetch(wanted("a"), true)];
  expect(cache.pendingCount).toBe(1);
  await answer("/a");
  const [first, second] = await Promise.all(both);
  expect(second).toBe(first);
  expect(first![0]!.kind).toBe("beat");
  expect(await cache.fetch(wanted("a"))).toBe(first);
  expect(requests).toBe(before + 1);
  expect([cache.pendingCount, cache.bytesReceived]).toEqual([0, PULSE.byteLength]);
});

it("announces an arrival, but not a failure", async () => {
  const missed = vi.fn();
  const cache = new FrameCache(1 << 20, missed);
  let arrived = false;
  void cache.nextArrival().then(() => (arrived = true));
  const failing = cache.fetch(wanted("gone"));
  const settled = cache.anySettled();
  await Promise.all([answer("/gone", 404), expect(failing).rejects.toThrow(ApiError)]);
  await settled;
  expect([arrived, cache.pendingCount, missed.mock.calls.length]).toEqual([false, 0, 1]);
  const coming = cache.fetch(wanted("here"));
  await answer("/here");
  await coming;
  await Promise.resolve();
  expect(arrived).toBe(true);
  expect(missed).toHaveBeenCalledTimes(1);
});

it("aborts requests without callers", async () => {
  const cache = new FrameCache(1 << 20, () => {});
  const ahead = cache.fetch(wanted("ahead"), true);
  const likely = cache.fetch(wanted("likely"), true);
  const later = cache.fetch(wanted("later"), true);
  const waited = cache.fetch(wanted("later"));
  cache.abortSpeculative(new Set(["likely"]));
  await expect(ahead).rejects.toThrow(/abort/);
  expect(cache.pendingCount).toBe(2);
  await Promise.all([answer("/likely"), answer("/later"), likely, later, waited]);
  expect([cache.has("ahead"), cache.has("likely"), cache.has("later")]).toEqual([
    false,
    true,
    true,
  ]);
  const last = cache.fetch(wanted("last"));
  cache.close();
  await expect(last).rejects.toThrow(/abort/);
});

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
