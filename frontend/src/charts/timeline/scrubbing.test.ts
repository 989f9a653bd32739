import { describe, expect, it } from "vitest";
import { stepAtShare, stepForKey } from "./scrubbing";

describe("a position on the timeline", () => {
  it("is an existing step", () => {
    expect([-0.2, 0, 0.5, 0.7, 3].map((share) => stepAtShare(share, 1_000, 640))).toEqual([
      0, 0, 500, 640, 640,
    ]);
  });
});

describe("a key", () => {
  const keyed = (key: string, shiftKey = false) => stepForKey({ key, shiftKey }, 1_500);

  it("moves by a step, ten steps, a page, or to an end", () => {
    expect(keyed("ArrowRight")).toEqual({ by: 1 });
    expect(keyed("ArrowDown")).toEqual({ by: -1 });
    expect(keyed("ArrowLeft", true)).toEqual({ by: -10 });
    expect(keyed("PageUp")).toEqual({ by: 75 });
    expect(keyed("Home")).toEqual({ to: 0 });
    expect(keyed("End")).toEqual({ to: 1_500 });
  });

  it("is ignored if sliders do not use it", () => {
    expect([keyed("l"), keyed(" "), keyed("Tab")]).toEqual([null, null, null]);
  });
});
