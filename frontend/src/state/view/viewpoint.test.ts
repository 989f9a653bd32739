import { describe, expect, it } from "vitest";
import { Viewpoint } from "./viewpoint.svelte";

const FIRST = { x: 0.1, y: 0.2, zoom: 3 };
const NEAR = { x: 0.5, y: 0.5, zoom: 6 };

describe("the way back from a token or a direction", () => {
  it("leads to the look before the camera moved to the first one", () => {
    const viewpoint = new Viewpoint();
    viewpoint.applyView({ look: FIRST });
    expect(viewpoint.wayBack).toEqual({});
    for (const sought of [
      { token: 3, near: true },
      { token: 4, near: true },
      "direction",
    ] as const) {
      viewpoint.sought = sought;
      viewpoint.arrive(NEAR);
      expect(viewpoint.look).toBe(NEAR);
      expect(viewpoint.sought).toBeNull();
    }
    expect(viewpoint.wayBack).toEqual({ look: FIRST });
  });

  it("is lost once the viewer has moved the map, and absent for a token that was only brought into view", () => {
    const viewpoint = new Viewpoint();
    viewpoint.sought = { token: 3, near: true };
    viewpoint.arrive(NEAR);
    viewpoint.applyView({ look: FIRST });
    expect(viewpoint.wayBack).toEqual({});
    viewpoint.sought = { token: 3, near: false };
    viewpoint.arrive(NEAR);
    expect(viewpoint.wayBack).toEqual({});
  });
});
