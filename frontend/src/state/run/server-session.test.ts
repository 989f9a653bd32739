import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ClassMessage, Phase, Session } from "../../api/rest-types";
import { ServerSession } from "./server-session.svelte";

let runs: { id: string; readable: boolean; status: { phase: Phase } | null }[];
let asked: string[];
let session: Partial<Session>;
let server: ServerSession;

beforeEach(() => {
  vi.useFakeTimers();
  runs = [];
  asked = [];
  session = { presenter: true };
  vi.stubGlobal("fetch", (path: string, { method = "GET" }: RequestInit = {}) => {
    asked.push(`${method} ${path}`);
    if (method === "POST") return Promise.resolve(Response.json({ id: start("mine") }));
    return Promise.resolve(Response.json(path.endsWith("/session") ? session : { items: runs }));
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

describe("a run started elsewhere", () => {
  it("is noticed in the polled list, until it is dismissed", async () => {
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

  it("is not news to its creator, whenever it appears in the list", async () => {
    await server.poll();
    await server.createRun({}, null);
    await server.poll();
    expect(server.newRun).toBeNull();
  });

  it("is noticed once readable, unless it has ended", async () => {
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

describe("a viewer in a class", () => {
  const told = (
    newest_run: string | null,
    role: ClassMessage["role"] = "viewer",
  ): ClassMessage => ({
    ...{ type: "class" as const, role, text: true, view: null, question: null },
    ...{ answer: null, pointed: null, newest_run, written: null, lessons: 0 },
  });

  beforeEach(() => {
    session = { presenter: false, role: "viewer", classroom: true };
  });

  it("is not known to be in one before the server answers", async () => {
    expect(server.inClass).toBeNull();
    await server.poll();
    expect(server.inClass).toBe(true);
    session = { presenter: true, role: "presenter", classroom: false };
    await server.poll();
    expect([server.inClass, server.steers]).toEqual([false, true]);
  });

  it("is told of a new run, and polls rarely", async () => {
    start("first");
    await server.poll();
    asked = [];
    server.hear(told("first"));
    expect(server.newRun).toBeNull();
    server.hear(told("second"));
    expect(server.newRun).toBe("second");
    server.dismissNewRun("second");
    server.hear(told("second"));
    expect(server.newRun).toBeNull();
    await vi.advanceTimersByTimeAsync(29_000);
    expect(asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(61_000);
    expect(asked.length).toBeGreaterThanOrEqual(2);
  });

  it("polls more often without a run whose stream could tell", async () => {
    await server.poll();
    asked = [];
    await vi.advanceTimersByTimeAsync(15_000);
    expect(asked.length).toBeGreaterThanOrEqual(2);
  });

  it("controls training while the presenter allows it", async () => {
    await server.poll();
    expect(server.steers).toBe(false);
    server.hear(told(null, "assistant"));
    expect([server.steers, server.presenter]).toEqual([true, false]);
    server.hear(told(null));
    expect(server.steers).toBe(false);
  });

  it("is outside once removed", async () => {
    await server.poll();
    expect(server.outside).toBe(false);
    server.end();
    expect(server.outside).toBe(true);
  });
});
