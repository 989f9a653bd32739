import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Failure } from "../../api/failure";
import type { ClassTies } from "./class-feed.svelte";
import { RunStream } from "./run-stream.svelte";

class FakeSocket {
  static readonly OPEN = 1;
  static made: FakeSocket[] = [];
  onopen: (() => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.made.push(this);
  }

  close() {}
}

const page = Object.assign(new EventTarget(), { hidden: false });
let stream: RunStream;
let running = true;
let opened: boolean[] = [];
let refused: Failure[] = [];
let ended = 0;

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.made = [];
  [running, opened, refused, ended] = [true, [], [], 0];
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("document", page);
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("removeEventListener", () => undefined);
  vi.stubGlobal("location", { protocol: "https:", host: "here", pathname: "/" });
});
afterEach(() => {
  stream.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function open(inClass: boolean | null = false) {
  const ties: ClassTies = { inClass, hear: () => undefined, end: () => (ended += 1) };
  stream = new RunStream("town", ties, {
    onFrame: () => undefined,
    onMessage: () => undefined,
    onOpen: (again) => opened.push(again),
    onRefused: (reason) => refused.push(reason),
    running: () => running,
  });
  return FakeSocket.made;
}

describe("the stream of a run", () => {
  it("is this viewer's own socket, or that of the class", () => {
    const sockets = open();
    expect(sockets.at(-1)!.url).toBe("wss://here/api/runs/town/live");
    stream.close();
    open(true);
    expect(sockets.at(-1)!.url).toBe("wss://here/api/runs/town/beats");
    stream.close();
    open(null);
    expect(sockets.length).toBe(2);
  });

  it("is lost until it is back, and reports that it is open again", () => {
    const sockets = open();
    sockets[0]!.onopen!();
    expect([stream.open, stream.lost]).toEqual([true, false]);
    sockets[0]!.onclose!({ code: 1006, reason: "" });
    expect([stream.open, stream.lost]).toEqual([false, true]);
    vi.advanceTimersByTime(400);
    expect([stream.state.state, stream.lost]).toEqual(["connecting", true]);
    sockets[1]!.onopen!();
    expect([stream.open, stream.lost, opened]).toEqual([true, false, [false, true]]);
  });

  it("says why it is refused, and leaves the class if removed", () => {
    const sockets = open(true);
    sockets[0]!.onclose!({ code: 4404, reason: "" });
    stream.retry();
    sockets[1]!.onclose!({ code: 4403, reason: "The class is over." });
    expect(JSON.stringify(refused)).toMatch(/4404.*The class is over\./);
    expect(ended).toBe(1);
  });

  it("is in doubt after half a minute of silence during training", () => {
    const sockets = open();
    sockets[0]!.onopen!();
    running = false;
    stream.checkSilence(performance.now() + 31_000);
    running = true;
    stream.checkSilence(performance.now() + 29_000);
    expect(sockets.length).toBe(1);
    stream.checkSilence(performance.now() + 31_000);
    expect(sockets.length).toBe(2);
    // It is not open yet: it still waits for the connection.
    stream.checkSilence(performance.now() + 31_000);
    expect(sockets.length).toBe(2);
  });

  it("is in doubt sooner when a hidden page becomes visible", () => {
    const sockets = open();
    sockets[0]!.onopen!();
    vi.advanceTimersByTime(6_000);
    page.hidden = true;
    page.dispatchEvent(new Event("visibilitychange"));
    expect(sockets.length).toBe(1);
    page.hidden = false;
    page.dispatchEvent(new Event("visibilitychange"));
    expect(sockets.length).toBe(2);
    stream.close();
    page.dispatchEvent(new Event("visibilitychange"));
    expect(sockets.length).toBe(2);
  });
});
