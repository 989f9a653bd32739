import { describe, expect, it } from "vitest";
import type { OverlayModel } from "./overlay-model";
import { drawTrails } from "./draw-trails";
import { trailTraces } from "./trails";

describe("trails", () => {
  const zigzag = {
    id: 1,
    xs: [0, 1, 2, 3, 4, 5, 6, 7, 8],
    ys: [0, 1, 0, 1, 0, 1, 0, 1, 0],
    own: true,
  };

  it("are connected lines, fainter where older, with distinct shapes at the ends", () => {
    const traces = trailTraces([zigzag]);
    const lines = traces.filter(({ mode }) => mode === "lines");
    const opacities = lines.map(({ opacity }) => opacity as number);
    expect(opacities).toEqual([...opacities].sort());
    const xs = lines.map(({ x }) => (x as (number | null)[]).filter((one) => one !== null));
    expect(xs.flat().filter((one, i, all) => one !== all[i - 1])).toEqual(zigzag.xs);
    for (let i = 1; i < xs.length; i++) expect(xs[i]![0]).toBe(xs[i - 1]!.at(-1));
    const [begun, now] = traces.filter(({ mode }) => mode === "markers");
    expect([begun!["x"], now!["x"]]).toEqual([[0], [8]]);
    const symbol = (trace: typeof begun) => (trace!["marker"] as { symbol: string }).symbol;
    expect(symbol(begun)).not.toBe(symbol(now));
  });

  it("need no more traces for many tokens than for one of each kind, and none for a token at rest", () => {
    const other = { ...zigzag, own: false };
    const few = trailTraces([zigzag, other]).length;
    expect(
      trailTraces(Array.from({ length: 40 }, (_, i) => (i < 20 ? zigzag : other))),
    ).toHaveLength(few);
    expect(trailTraces([{ id: 2, xs: [1], ys: [1], own: true }])).toEqual([]);
  });

  it("are complete with fewer points than parts", () => {
    const traces = trailTraces([{ id: 2, xs: [0, 1], ys: [0, 1], own: false }]);
    const drawn = traces
      .filter(({ mode }) => mode === "lines")
      .flatMap(({ x }) => x as (number | null)[]);
    expect(drawn.filter((one) => one !== null)).toEqual([0, 1]);
  });
});

describe("trails on a picture", () => {
  it("match the positions of the map, with a square at the start and a triangle at the end", () => {
    const calls: string[] = [];
    const context = new Proxy({} as CanvasRenderingContext2D, {
      get:
        (_, name) =>
        (...values: unknown[]) =>
          void calls.push(`${String(name)} ${values.join(" ")}`.trim()),
      set: (_, name, value) => calls.push(`${String(name)} = ${value}`) > 0,
    });
    const trail = { id: 1, xs: [0, 5, 10], ys: [0, 5, 10], own: true };
    const view = { x0: 0, x1: 10, y0: 0, y1: 10 };
    drawTrails(context, { trails: [trail], view, width: 200, height: 100 } as OverlayModel);
    const drawn = calls.join("\n");
    expect(drawn).toContain("moveTo 100 50\nlineTo 200 0");
    expect(drawn).toContain("rect -3.5 96.5 7 7\nstroke");
    expect(drawn).toMatch(/fillStyle = #ffe9c4\n(?:.*\n){4}moveTo 200 -5\.1\d*\n(?:.*\n){3}fill$/m);
  });
});
