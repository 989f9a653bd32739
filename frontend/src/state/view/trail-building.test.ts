import { describe, expect, it } from "vitest";
import type { Layout } from "../../api/frames";
import { placeTolerance, extendTrail, thinTrail, buildTrails } from "./trails.svelte";
import type { TokenTrail } from "../../model/plane/trail";

/** Return a map of 65,535 units a side with one token on it. */
function layout(step: number, x: number, y: number): Layout {
  const box = { x0: 0, x1: 65_535, y0: 0, y1: 65_535 };
  return { step, places: Uint16Array.from([x, y]), ...box } as unknown as Layout;
}

const FINE = placeTolerance(layout(0, 0, 0));

describe("trails", () => {
  it("have a point where a token moved, and none for rounding errors", () => {
    const places: [number, number][][] = [
      [
        [10, 10],
        [500, 500],
      ],
      [
        [12, 9],
        [600, 500],
      ],
      [
        [8, 11],
        [600, 502],
      ],
      [
        [9, 10],
        [600, 700],
      ],
    ];
    const [resting, moving] = buildTrails([3, 7], [1, 2, 3, 4], places, FINE);
    expect(resting).toEqual({ id: 3, steps: [1], xs: [10], ys: [10] });
    expect(moving).toEqual({ id: 7, steps: [1, 2, 4], xs: [500, 600, 600], ys: [500, 500, 700] });
  });

  it("do not hide a slow drift behind the rounding of each step", () => {
    const places = Array.from({ length: 20 }, (_, i): [number, number][] => [[i, 0]]);
    const [drifting] = buildTrails([0], [...places.keys()], places, FINE);
    expect(drifting!.xs.at(-1)).toBeGreaterThan(14);
  });

  it("grow with each layout and drop old points", () => {
    let trail: TokenTrail = { id: 0, steps: [10, 20, 30], xs: [0, 100, 200], ys: [0, 0, 0] };
    trail = extendTrail(trail, layout(40, 300, 0), 25);
    // At step 25 it was still at its position of step 20.
    expect(trail.steps).toEqual([20, 30, 40]);
    expect(extendTrail(trail, layout(50, 301, 1), 25)).toEqual(trail);
    expect(extendTrail(trail, layout(60, 900, 0), 55).steps).toEqual([40, 60]);
  });

  it("are thinned from the first point to the last", () => {
    const steps = [...Array(1_000).keys()];
    const few = thinTrail({ id: 1, steps, xs: steps, ys: steps });
    expect(few.steps.length).toBeLessThan(75);
    expect([few.steps[0], few.steps.at(-1)]).toEqual([0, 999]);
    expect(few.xs).toEqual(few.steps);
  });
});
