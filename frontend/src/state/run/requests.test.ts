import { afterEach, describe, expect, it, vi } from "vitest";
import { Requests } from "./requests.svelte";

afterEach(() => vi.unstubAllGlobals());

function answerWith(status: number, body: unknown) {
  vi.stubGlobal("fetch", () => Promise.resolve(Response.json(body, { status })));
}

describe("a request to the trainer", () => {
  it("keeps the server's reason until the next one if the queue is full", async () => {
    const requests = new Requests("run");
    const detail = "the disk is full: make room on it, then ask again.";
    answerWith(507, { title: "Insufficient Storage", status: 507, detail });
    expect(await requests.trySending({ kind: "pause" })).toBe(false);
    expect(requests.problem).toEqual({ code: "said", reason: detail });
    expect(requests.pending.size).toBe(0);
    answerWith(202, { request: "s1:1" });
    expect(await requests.trySending({ kind: "pause" })).toBe(true);
    expect(requests.problem).toBeNull();
    expect([...requests.pending]).toEqual(["s1:1"]);
    requests.acknowledge("s1:1");
  });

  it("keeps its cost if it must be confirmed, and differs from one refused for good", async () => {
    const requests = new Requests("run");
    const detail = "this run was imported. To continue it takes 1 CPU thread.";
    const problem = { title: "Conflict", status: 409, detail };
    answerWith(409, { ...problem, errors: [{ field: "confirmed", message: detail }] });
    expect(await requests.trySending({ kind: "continue", steps: 0 })).toBe(false);
    expect(requests.problem).toEqual({ code: "unconfirmed", reason: detail });
    answerWith(409, { ...problem, errors: [{ field: "steps", message: detail }] });
    expect(await requests.trySending({ kind: "continue", steps: 0 })).toBe(false);
    expect(requests.problem).toEqual({ code: "said", reason: detail });
  });
});
