import { describe, expect, it, vi } from "vitest";
import type { OverlayModel } from "./overlay-model";
import { Overlay } from "./overlay";
import { UNMARKED } from "../scene/displayed-map";
import type { MapRect } from "../../model/plane/viewport";
import { drawTrails, trailStrokes } from "./trails";
import { drawArrow, drawRays } from "./marks";
import type { NeighbourLink } from "../../model/neighbour-link";

describe("trails", () => {
  const zigzag = {
    id: 1,
    xs: [0, 1, 2, 3, 4, 5, 6, 7, 8],
    ys: [0, 1, 0, 1, 0, 1, 0, 1, 0],
    own: true,
  };

  it("are connected lines, fainter where older, with distinct shapes at the ends", () => {
    const strokes = trailStrokes([zigzag]);
    const lines = strokes.filter(({ sign }) => !sign);
    const opacities = lines.map(({ opacity }) => opacity);
    expect(opacities).toEqual([...opacities].sort());
    const xs = lines.map(({ x }) => x.filter((one) => one !== null));
    expect(xs.flat().filter((one, i, all) => one !== all[i - 1])).toEqual(zigzag.xs);
    for (let i = 1; i < xs.length; i++) expect(xs[i]![0]).toBe(xs[i - 1]!.at(-1));
    const [begun, now] = strokes.filter(({ sign }) => sign);
    expect([begun!.x, now!.x]).toEqual([[0], [8]]);
    expect(begun!.sign!.symbol).not.toBe(now!.sign!.symbol);
  });

  it("need no more strokes for many tokens than for one of each kind, and none for a token at rest", () => {
    const other = { ...zigzag, own: false };
    const few = trailStrokes([zigzag, other]).length;
    expect(
      trailStrokes(Array.from({ length: 40 }, (_, i) => (i < 20 ? zigzag : other))),
    ).toHaveLength(few);
    expect(trailStrokes([{ id: 2, xs: [1], ys: [1], own: true }])).toEqual([]);
  });

  it("are complete with fewer points than parts", () => {
    const lines = trailStrokes([{ id: 2, xs: [0, 1], ys: [0, 1], own: false }]).filter(
      ({ sign }) => !sign,
    );
    const drawn = lines.flatMap(({ x }) => x);
    expect(drawn.filter((one) => one !== null)).toEqual([0, 1]);
  });
});

describe("drawn trails", () => {
  const trail = { id: 1, xs: [0, 5, 10], ys: [0, 5, 10], own: true };
  const view = { x0: 0, x1: 10, y0: 0, y1: 10 };
  const modelOf = (view: MapRect) =>
    ({ trails: [trail], view, width: 200, height: 100 }) as OverlayModel;

  function recorded(): { context: CanvasRenderingContext2D; calls: string[] } {
    const calls: string[] = [];
    const context = new Proxy({} as CanvasRenderingContext2D, {
      get:
        (_, name) =>
        (...values: unknown[]) =>
          void calls.push(`${String(name)} ${values.join(" ")}`.trim()),
      set: (_, name, value) => calls.push(`${String(name)} = ${value}`) > 0,
    });
    return { context, calls };
  }

  it("match the positions of the map, with a square at the start and a triangle at the end", () => {
    const { context, calls } = recorded();
    drawTrails(context, modelOf(view));
    const drawn = calls.join("\n");
    expect(drawn).toContain("moveTo 100 50\nlineTo 200 0");
    expect(drawn).toContain("rect -3.5 96.5 7 7\nstroke");
    expect(drawn).toMatch(/fillStyle = #ffe9c4\n(?:.*\n){4}moveTo 200 -5\.1\d*\n(?:.*\n){3}fill$/m);
  });

  it("move with the lamps in every frame of a glide of the view", () => {
    const { context, calls } = recorded();
    const canvas = { getContext: () => context };
    vi.stubGlobal(
      "OffscreenCanvas",
      vi.fn(function () {
        return canvas;
      }),
    );
    const overlay = new Overlay(canvas as unknown as HTMLCanvasElement);
    for (const x0 of [0, -5, -10]) {
      calls.length = 0;
      const marks = { ...UNMARKED, trails: [trail] };
      overlay.draw({ ...modelOf({ ...view, x0, x1: x0 + 10 }), ...marks }, Infinity);
      expect(calls).toContain(`lineTo ${200 - 20 * x0} 0`);
    }
  });
});

function drawn(arrow: OverlayModel["arrow"]): number[][] {
  const lines: number[][] = [];
  let at: [number, number] = [0, 0];
  const context = {
    beginPath() {},
    stroke() {},
    moveTo: (x: number, y: number) => (at = [x, y]),
    lineTo: (x: number, y: number) => lines.push([...at, x, y]),
  } as unknown as CanvasRenderingContext2D;
  const places: [number, number][] = [
    [0, 0],
    [0, 20],
    [100, 10],
    [101, 10],
  ];
  const view = { x0: 0, x1: 200, y0: 0, y1: 200 };
  const model = { arrow, positionOf: (id: number) => places[id]!, width: 200, height: 200, view };
  drawArrow(context, model as unknown as OverlayModel, 1);
  return lines;
}

describe("arrow of a direction", () => {
  it("runs from the middle of some tokens to the middle of others, with a head at its end", () => {
    const [shaft, one, other] = drawn({ from: [0, 1], to: [2] });
    expect([shaft![0]! > 0, shaft![2]! > shaft![0]!, shaft![2]! < 100]).toEqual([true, true, true]);
    expect(shaft![1]).toBeCloseTo(shaft![3]!);
    expect([one!.slice(0, 2), other!.slice(0, 2)]).toEqual([shaft!.slice(2), shaft!.slice(2)]);
    expect(one![2]).toBeLessThan(shaft![2]!);
    expect(one![3]! - shaft![3]!).toBeCloseTo(shaft![3]! - other![3]!);
  });

  it("is not drawn without ends, or if they almost meet", () => {
    expect(drawn(null)).toEqual([]);
    expect(drawn({ from: [], to: [2] })).toEqual([]);
    expect(drawn({ from: [2], to: [3] })).toEqual([]);
  });
});

describe("the rays of a word", () => {
  it("run from its ring towards its neighbours, one thin line each, without marks on their lamps", () => {
    const places: [number, number][] = [
      [200, 100],
      [100, 160],
      [104, 100],
    ];
    const kinds = ["space", "map", "both"] as const;
    const links = kinds.map((kind, id): NeighbourLink => ({ id, kind, cosine: 0.5 }));
    const calls: string[] = [];
    const context = new Proxy({} as CanvasRenderingContext2D, {
      get:
        (_, name) =>
        (...values: unknown[]) =>
          void calls.push(`${String(name)} ${values.join(" ")}`.trim()),
      set: (_, name, value) => calls.push(`${String(name)} = ${value}`) > 0,
    });
    drawRays(context, [100, 100], 10, links, (id) => places[id]!, 1);
    const drawn = calls.join("\n");
    // The third neighbour is inside the ring.
    expect(calls.filter((call) => call === "stroke")).toHaveLength(2);
    expect(drawn).toContain("moveTo 110 100\nlineTo 195 100");
    expect(drawn).toContain("moveTo 100 110\nlineTo 100 155");
    expect(drawn).toMatch(/setLineDash \d/);
    expect(drawn).not.toMatch(/arc|closePath|fill/);
  });
});
