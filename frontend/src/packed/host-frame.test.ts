import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HostFrame } from "./host-frame";

describe("a page in a widget", () => {
  const host = { postMessage: vi.fn() };
  let take: (event: object) => void;

  beforeEach(() => {
    vi.useFakeTimers();
    host.postMessage.mockClear();
    vi.stubGlobal("window", globalThis);
    vi.stubGlobal("parent", host);
    vi.stubGlobal("location", { protocol: "about:" });
    vi.stubGlobal("addEventListener", (_: string, listener: typeof take) => (take = listener));
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const posted = () =>
    (host.postMessage.mock.calls as [{ lamplighter: object }][]).map(
      ([{ lamplighter }]) => lamplighter,
    );
  const hear = (lamplighter: object, source: object = host) =>
    take({ source, data: { lamplighter } });

  it("asks for the host's selection first, and tells what changes", () => {
    const frame = HostFrame.find()!;
    const chosen: (readonly number[])[] = [];
    frame.onSelect = (ids) => chosen.push(ids);
    frame.tell([]);
    hear({ select: [3, "4", 5] });
    frame.tell([3, 5]);
    frame.tell([7]);
    hear({ select: [7] });
    expect(posted()).toEqual([{ ready: true }, { selected: [7] }]);
    expect(chosen).toEqual([[3, 5]]);
  });

  it("gets files from its host alone, and gives up on one that never comes", async () => {
    const frame = HostFrame.find()!;
    const file = frame.read("manifest.json");
    const { buffer } = new Uint8Array([1, 2]);
    hear({ file: "manifest.json", data: new Uint8Array([9]).buffer }, { another: true });
    hear({ file: "manifest.json", data: buffer });
    await expect(file).resolves.toBe(buffer);
    const missing = expect(frame.read("gone.bin")).rejects.toThrow("gone.bin");
    await vi.advanceTimersByTimeAsync(5_000);
    await missing;
  });

  it("is no widget's if it came from an address", () => {
    vi.stubGlobal("location", { protocol: "https:" });
    expect(HostFrame.find()).toBeNull();
  });
});
