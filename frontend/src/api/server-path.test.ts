import { afterEach, describe, expect, it, vi } from "vitest";
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
