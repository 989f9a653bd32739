import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { filesBeside, SegmentSocket, splitSegment } from "./segment-socket";

/** Return a segment of one-byte messages. */
function segment(...messages: [after: number, byte: number][]): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(7 * messages.length));
  messages.forEach(([after, byte], i) => {
    view.setUint16(7 * i, after, true);
    view.setUint32(7 * i + 2, 1, true);
    view.setUint8(7 * i + 6, byte);
  });
  return view.buffer;
}

describe("a segment", () => {
  it("is split into its messages", () => {
    const found = splitSegment(segment([0, 7], [340, 8]));
    expect(found.map(({ after }) => after)).toEqual([0, 340]);
    expect(found.map(({ envelope }) => [...new Uint8Array(envelope)])).toEqual([[7], [8]]);
  });

  it("that is cut short is refused", () => {
    const whole = segment([0, 7]);
    for (const length of [1, 5, 6]) expect(() => splitSegment(whole.slice(0, length))).toThrow();
    expect(splitSegment(whole.slice(0, 0))).toEqual([]);
  });
});

describe("following a broadcast", () => {
  let manifest: Record<string, unknown>;
  let asked: string[];
  let files: Map<string, ArrayBuffer>;
  let socket: SegmentSocket;
  let heard: number[];
  let closed: number[];

  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    vi.spyOn(console, "warn").mockReturnValue(undefined);
    for (const name of ["WebSocket", "MessageEvent", "CloseEvent"])
      vi.stubGlobal(name, name === "WebSocket" ? { CONNECTING: 0, OPEN: 1, CLOSED: 3 } : FakeEvent);
    manifest = {
      format: 1,
      name: "0a1b2c3d",
      written: 1,
      sequence: 4,
      first: 1,
      whole: 3,
      ended: false,
    };
    files = new Map([
      ["live/0a1b2c3d/000003-whole.bin", Uint8Array.of(100).buffer],
      ["live/0a1b2c3d/000004.bin", segment([0, 4])],
    ]);
    asked = [];
    vi.stubGlobal("fetch", (path: string) => {
      asked.push(path);
      const text = () => new TextEncoder().encode(JSON.stringify(manifest)).buffer;
      const data = path.endsWith("manifest.json") ? text() : files.get(path);
      return Promise.resolve({
        ok: data !== undefined,
        status: data === undefined ? 404 : 200,
        arrayBuffer: () => Promise.resolve(data),
      });
    });
    heard = [];
    closed = [];
    socket = new SegmentSocket(filesBeside("live"));
    socket.onmessage = ({ data }) => heard.push(new Uint8Array(data as ArrayBuffer)[0]!);
    socket.onclose = ({ code }) => closed.push(code);
  });

  afterEach(() => {
    socket.close();
    vi.useRealTimers();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });

  it("begins with the newest whole state, and what follows it", async () => {
    await vi.advanceTimersByTimeAsync(100);
    expect(heard).toEqual([100, 4]);
    expect(socket.readyState).toBe(1);
  });

  it("delivers each message of a new segment at its own time", async () => {
    await vi.advanceTimersByTimeAsync(100);
    Object.assign(manifest, { written: 2, sequence: 5 });
    files.set("live/0a1b2c3d/000005.bin", segment([0, 50], [700, 51]));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(heard).toEqual([100, 4, 50]);
    await vi.advanceTimersByTimeAsync(800);
    expect(heard).toEqual([100, 4, 50, 51]);
  });

  it("asks for no segment twice, and for nothing but the manifest while nothing happens", async () => {
    for (let second = 2; second < 6; second++) {
      await vi.advanceTimersByTimeAsync(1_000);
      manifest["written"] = second;
    }
    const segments = asked.filter((path) => path.endsWith(".bin"));
    expect(segments).toHaveLength(new Set(segments).size);
    expect(segments).toHaveLength(2);
  });

  it("goes on from a whole state after too many segments, or in a new broadcast", async () => {
    await vi.advanceTimersByTimeAsync(100);
    Object.assign(manifest, { written: 2, sequence: 50, first: 1, whole: 50 });
    files.set("live/0a1b2c3d/000050-whole.bin", Uint8Array.of(101).buffer);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(heard).toEqual([100, 4, 101]);
    Object.assign(manifest, { name: "ffffffff", written: 1, sequence: 1, whole: 1 });
    files.set("live/ffffffff/000001-whole.bin", Uint8Array.of(102).buffer);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(heard).toEqual([100, 4, 101, 102]);
  });

  it("closes when the broadcast breaks off, so that the page says so and tries again", async () => {
    await vi.advanceTimersByTimeAsync(14_000);
    expect(closed).toEqual([]);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(closed).toEqual([1006]);
  });

  it("closes when the manifest names a folder that is no broadcast's", async () => {
    manifest["name"] = "../../api";
    await vi.advanceTimersByTimeAsync(100);
    expect(closed).toEqual([1006]);
    expect(asked).toEqual(["live/manifest.json"]);
  });

  it("stays open after the end, and asks for nothing more", async () => {
    manifest["ended"] = true;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(closed).toEqual([]);
    expect(heard).toEqual([100, 4]);
    expect(asked.filter((path) => path.endsWith("manifest.json"))).toHaveLength(1);
  });
});

class FakeEvent {
  constructor(
    readonly type: string,
    more: object,
  ) {
    Object.assign(this, more);
  }
}
