import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ViewPoster } from "./view-poster";

let posted: string[];
let status: number;
let poster: ViewPoster;

beforeEach(() => {
  vi.useFakeTimers();
  posted = [];
  status = 204;
  vi.stubGlobal("fetch", (_: string, { body }: RequestInit) => {
    posted.push((JSON.parse(body as string) as { query: string }).query);
    return Promise.resolve(new Response(null, { status }));
  });
  poster = new ViewPoster();
});
afterEach(() => {
  poster.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the presenter's view", () => {
  it("goes out at once, then at most four times a second, and always the last one", async () => {
    for (let at = 0; at < 100; at++) {
      poster.show(`at=${at}`);
      await vi.advanceTimersByTimeAsync(20);
    }
    await vi.advanceTimersByTimeAsync(250);
    expect(posted[0]).toBe("at=0");
    expect(posted.at(-1)).toBe("at=99");
    expect(posted.length).toBeLessThanOrEqual(10);
  });

  it("goes out once a second during a drag", async () => {
    for (let at = 0; at < 100; at++) {
      poster.show(`at=${at}`, true);
      await vi.advanceTimersByTimeAsync(40);
    }
    poster.show("at=99");
    await vi.advanceTimersByTimeAsync(250);
    expect(posted.at(-1)).toBe("at=99");
    expect(posted.length).toBeLessThanOrEqual(6);
  });

  it("goes out once while it is unchanged, and again after it was withdrawn", async () => {
    for (const query of ["a", "a", null, "a"]) {
      poster.show(query);
      await vi.advanceTimersByTimeAsync(300);
    }
    expect(posted).toEqual(["a", "a"]);
  });

  it("is posted again when the server was unreachable, but not after a refusal", async () => {
    status = 503;
    poster.show("a");
    await vi.advanceTimersByTimeAsync(1_000);
    status = 204;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(posted).toEqual(["a", "a"]);
    status = 409;
    poster.show("b");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(posted).toEqual(["a", "a", "b"]);
  });
});
