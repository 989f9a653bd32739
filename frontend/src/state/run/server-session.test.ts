import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Phase } from "../../api/rest-types";
import { ServerSession } from "./server-session.svelte";

let runs: { id: string; readable: boolean; status: { phase: Phase } | null }[];
let asked: string[];
let server: ServerSession;

beforeEach(() => {
  vi.useFakeTimers();
  runs = [];
  asked = [];
  vi.stubGlobal("fetch", (path: string, { method = "GET" }: RequestInit = {}) => {
    asked.push(`${method} ${path}`);
    if (method === "POST") return Promise.resolve(Response.json({ id: start("mine") }));
    return Promise.resolve(
      Response.json(path.endsWith("/session") ? { presenter: true } : { items: runs }),
    );
  });
  server = new ServerSession(() => undefined);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Add a run to the server's list. Return its id. */
function start(id: string, phase: Phase = "running"): string {
  runs = [...runs, { id, readable: true, status: { phase } }];
  return id;
}

describe("a run that somebody starts", () => {
  it("is noticed by the list that is asked for anyway, until it is dismissed", async () => {
    start("first");
    await server.poll();
    expect(server.newRun).toBeNull();
    start("second", "waiting");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(server.newRun).toBe("second");
    expect(asked).toEqual([
      "GET /api/session",
      "GET /api/runs",
      "GET /api/session",
      "GET /api/runs",
    ]);
    await server.poll();
    expect(server.newRun).toBe("second");
    server.dismissNewRun("second");
    await server.poll();
    expect(server.newRun).toBeNull();
    start("third");
    await server.poll();
    expect(server.newRun).toBe("third");
    runs = runs.filter(({ id }) => id !== "third");
    await server.poll();
    expect(server.newRun).toBeNull();
  });

  it("is no news to who started it, whenever the list tells of it", async () => {
    await server.poll();
    await server.createRun({}, null);
    await server.poll();
    expect(server.newRun).toBeNull();
  });

  it("is noticed once it can be read, and one that is over already is not", async () => {
    await server.poll();
    start("imported", "finished");
    runs = [...runs, { id: "begun", readable: false, status: null }];
    await server.poll();
    expect(server.newRun).toBeNull();
    runs = runs.filter(({ id }) => id !== "begun");
    start("begun");
    await server.poll();
    expect(server.newRun).toBe("begun");
  });
});
