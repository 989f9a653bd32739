import { describe, expect, it } from "vitest";
import type { NeighbourLink } from "../../model/neighbour-link";
import { drawRays } from "./marks";

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
