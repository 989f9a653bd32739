import { describe, expect, it } from "vitest";
import type { Layout } from "../../api/frames";
import { placeTolerance, extendTrail, thinTrail, buildTrails } from "./trails.svelte";
import type { TokenTrail } from "../../model/plane/trail";
import { clockSize } from "../../model/clock";
import { phaseScale, strongestFrequency } from "./clock-phase";
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

const SIZE = 13;
const tokens = ["<unk>", ...Array.from({ length: SIZE }, (_, n) => String(n)), "+", "="];

/** Numbers on circles of some frequencies, with their radii. */
function drawn(...circles: [frequency: number, radius: number][]) {
  const places = new Uint16Array(2 * tokens.length).fill(30_000);
  for (let a = 0; a < SIZE; a++) {
    for (const [frequency, radius] of circles) {
      const angle = (2 * Math.PI * frequency * a) / SIZE;
      places[2 * (a + 1)]! += radius * Math.cos(angle);
      places[2 * (a + 1) + 1]! += radius * Math.sin(angle);
    }
  }
  return { places, x0: 0, x1: 1, y0: 0, y1: 1 };
}

describe("the place on a circle", () => {
  it("is known for the words of sums alone", () => {
    expect(clockSize({ tokens })).toBe(SIZE);
    expect(clockSize({ tokens: ["<unk>", "the", "0", "+", "="] })).toBe(0);
    const many = Array.from({ length: 200 }, (_, n) => String(n));
    expect(clockSize({ tokens: ["<unk>", ...many, "+", "="] })).toBe(0);
  });

  it("is that of the strongest frequency, until another leads clearly", () => {
    expect(strongestFrequency(drawn([5, 9_000], [2, 4_000]), SIZE, 0)).toBe(5);
    expect(strongestFrequency(drawn([5, 9_000], [2, 8_500]), SIZE, 2)).toBe(2);
    expect(strongestFrequency(drawn([5, 9_000], [2, 4_000]), SIZE, 2)).toBe(5);
  });

  it("gives neighbours on the circle the same or the next colour", () => {
    const scale = phaseScale(tokens.length, SIZE, 5);
    const entryOf = (a: number) => scale.entryOf[a + 1]!;
    const arcs = scale.entries.length - 1;
    for (let a = 0; a < SIZE; a++) {
      // 8 * 5 = 40, one more than three rounds.
      const apart = (entryOf((a + 8) % SIZE) - entryOf(a) + arcs) % arcs;
      expect([0, 1]).toContain(apart);
    }
    expect(scale.entries.at(-1)).toMatchObject({ other: "none", count: 3 });
    expect(scale.entries[0]!.name).toBe("0 8");
  });
});

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
