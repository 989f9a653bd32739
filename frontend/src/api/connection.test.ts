import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FrameError } from "./binary-reader";
import {
  Connection,
  reconnectDelay,
  type ConnectionState,
  type EnvelopeOpener,
} from "./connection";
import type { Frame } from "./frames";
import type { SocketMessage } from "./rest-types";
import { readFileSync } from "node:fs";
import { openStream } from "./envelope-stream";
import { isPageReplaced } from "./server-path";

const PAGE = '<script type="module" src="./assets/index-new.js"></script>';

describe("the page that the server has", () => {
  afterEach(() => vi.unstubAllGlobals());

  it.each([
    ["index-old.js", true],
    ["index-new.js", false],
  ])("is compared with a page whose script is %s", async (script, replaced) => {
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(PAGE)));
    expect(await isPageReplaced(script)).toBe(replaced);
  });

  it("counts as unchanged while the server is away or refuses", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no connection")));
    expect(await isPageReplaced("index-old.js")).toBe(false);
    vi.stubGlobal("fetch", () => Promise.resolve(new Response("busy", { status: 503 })));
    expect(await isPageReplaced("index-old.js")).toBe(false);
  });
});

function golden(name: string): Uint8Array {
  return readFileSync(new URL(`../../../tests/golden/${name}.bin`, import.meta.url));
}

/** Return an uncompressed envelope of these parts. */
function envelope(...parts: Uint8Array[]): ArrayBuffer {
  const bytes = [1, 0];
  for (const part of parts) {
    const length = Uint32Array.of(part.length);
    bytes.push(...new Uint8Array(length.buffer), ...part);
  }
  return Uint8Array.from(bytes).buffer;
}

const text = new TextEncoder().encode('{"type":"live","step":7}');

describe("the stream of a run", () => {
  it("yields whole layouts from changes, and everything else unchanged", async () => {
    const open = openStream();
    const first = await open(envelope(golden("grid-layout"), text, golden("beat")));
    expect(first.map((part) => ("kind" in part ? part.kind : part.type))).toEqual([
      ...["layout", "live", "beat"],
    ]);
    const [changed] = await open(envelope(golden("grid-change")));
    const [whole] = await openStream()(envelope(golden("grid-changed")));
    expect(changed).toEqual(whole);
    expect(changed).toMatchObject({ kind: "layout", step: 820 });
  });

  it("drops a layout change whose base this connection lacks", async () => {
    expect(await openStream()(envelope(golden("grid-change"), text))).toEqual([
      { type: "live", step: 7 },
    ]);
  });

  it("rejects damaged data", async () => {
    await expect(openStream()(Uint8Array.of(1, 0, 9, 9).buffer)).rejects.toThrow(FrameError);
  });
});

describe("the pause between attempts", () => {
  it("grows up to a limit", () => {
    const longest = [1, 2, 3, 4, 5, 6, 20].map((attempt) => reconnectDelay(attempt, 1));
    expect(longest).toEqual([400, 800, 1_600, 3_200, 6_400, 8_000, 8_000]);
  });

  it("differs from viewer to viewer", () => {
    expect(reconnectDelay(4, 0)).toBe(1_600);
    expect(reconnectDelay(4, 0.5)).toBe(2_400);
  });

  it("in a class is spread, so that five hundred viewers neither return at once nor take longer than 30 s", () => {
    for (const attempt of [1, 2, 3, 20]) {
      const delays = Array.from({ length: 500 }, (_, i) => reconnectDelay(attempt, i / 500, true));
      expect(Math.max(...delays)).toBeLessThanOrEqual(12_000);
      // At most a fifth of them return in any tenth of the pause.
      const tenths = new Map<number, number>();
      for (const delay of delays) {
        const tenth = Math.floor((10 * delay) / Math.max(...delays));
        tenths.set(tenth, (tenths.get(tenth) ?? 0) + 1);
      }
      expect(Math.max(...tenths.values())).toBeLessThanOrEqual(100);
    }
  });
});

class FakeSocket {
  static readonly OPEN = 1;
  static made: FakeSocket[] = [];
  readyState = 0;
  sent: string[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.made.push(this);
  }

  open() {
    this.readyState = FakeSocket.OPEN;
    this.onopen?.();
  }

  send(text: string) {
    this.sent.push(text);
  }

  close() {
    this.readyState = 3;
    this.onclose?.({ code: 1006, reason: "" });
  }
}

let states: ConnectionState["state"][];
let parts: unknown[];
let connection: Connection | undefined;

beforeEach(() => {
  FakeSocket.made = [];
  states = [];
  parts = [];
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("removeEventListener", () => undefined);
});
afterEach(() => {
  connection?.close();
  connection = undefined;
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function connectTo(target: ConstructorParameters<typeof Connection>[0]) {
  connection = new Connection(target, {
    onFrame: (frame: Frame) => parts.push(frame),
    onMessage: (message: SocketMessage) => parts.push(message),
    onState: ({ state }) => states.push(state),
  });
}

/** Connect to a stream; `open` opens its envelopes. */
function joinWith(open: EnvelopeOpener) {
  connectTo(() => ({ url: "ws://class", opener: () => Promise.resolve(open) }));
  const socket = FakeSocket.made.at(-1)!;
  socket.open();
  return socket;
}

describe("a connection", () => {
  it("waits for its target, and then connects once", () => {
    let url: string | null = null;
    const opener = () => Promise.resolve(() => Promise.resolve([]));
    connectTo(() => (url === null ? null : { url, opener }));
    connection?.connectOnce();
    expect(FakeSocket.made).toEqual([]);
    url = "ws://here";
    connection?.connectOnce();
    connection?.connectOnce();
    expect(FakeSocket.made.map((socket) => socket.url)).toEqual(["ws://here"]);
  });

  it("sends only while it is open", () => {
    const socket = joinWith(() => Promise.resolve([]));
    expect(connection?.send({ answer: 3 })).toBe(true);
    expect(socket.sent).toEqual(['{"answer":3}']);
    socket.close();
    expect(connection?.send({ answer: 4 })).toBe(false);
  });
});

describe("envelopes", () => {
  const bytes = (size: number) => new ArrayBuffer(size);

  it("are opened in order, with the texts between them", async () => {
    const socket = joinWith(async (data) => {
      // The first takes longest.
      await new Promise((done) => setTimeout(done, 100 / data.byteLength));
      return [{ kind: "beat", step: data.byteLength } as Frame];
    });
    for (const data of [bytes(1), '{"type":"live","step":7}', bytes(2)])
      socket.onmessage?.({ data });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(parts).toEqual([
      { kind: "beat", step: 1 },
      { type: "live", step: 7 },
      { kind: "beat", step: 2 },
    ]);
  });

  it("are dropped if unreadable, and not delivered from a lost connection", async () => {
    const warned = vi.spyOn(console, "warn").mockReturnValue();
    const socket = joinWith((data) =>
      data.byteLength === 1
        ? Promise.reject(new FrameError("cut short"))
        : Promise.resolve([{ kind: "beat", step: data.byteLength } as Frame]),
    );
    for (const data of [bytes(1), "{", bytes(2)]) socket.onmessage?.({ data });
    await vi.advanceTimersByTimeAsync(10);
    expect(parts).toEqual([{ kind: "beat", step: 2 }]);
    expect(warned).toHaveBeenCalledTimes(2);
    socket.onmessage?.({ data: bytes(3) });
    socket.close();
    await vi.advanceTimersByTimeAsync(10);
    expect(parts).toHaveLength(1);
    warned.mockRestore();
  });

  it("wait for code that is loaded again with the next connection", async () => {
    let loads = 0;
    connectTo(() => ({
      url: "ws://class",
      opener: () =>
        ++loads === 1
          ? Promise.reject(new TypeError("no network"))
          : Promise.resolve(() => Promise.resolve([{ kind: "beat" } as Frame])),
    }));
    FakeSocket.made[0]!.open();
    FakeSocket.made[0]!.onmessage?.({ data: bytes(1) });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(FakeSocket.made).toHaveLength(2);
    FakeSocket.made[1]!.open();
    FakeSocket.made[1]!.onmessage?.({ data: bytes(1) });
    await vi.advanceTimersByTimeAsync(10);
    expect(parts).toEqual([{ kind: "beat" }]);
  });
});
