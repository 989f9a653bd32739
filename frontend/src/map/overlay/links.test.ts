import { describe, expect, it } from "vitest";
import type { NeighbourLink } from "../../model/neighbour-link";
import { SvgContext } from "../export/svg-context";
import { drawRays } from "./links";

describe("the rays of a word", () => {
  it("go from its ring towards its neighbours, one thin line each, without marks on their lamps", () => {
    const places: [number, number][] = [
      [200, 100],
      [100, 160],
      [104, 100],
    ];
    const kinds = ["space", "map", "both"] as const;
    const links = kinds.map((kind, id): NeighbourLink => ({ id, kind, cosine: 0.5 }));
    const context = new SvgContext();
    drawRays(context, [100, 100], 10, links, (id) => places[id]!, 1);
    const drawn = context.elements.join("\n");
    // The third neighbour is within the ring.
    expect(context.elements).toHaveLength(2);
    expect(drawn).toContain("M110 100L195 100");
    expect(drawn).toContain("M100 110L100 155");
    expect(drawn).toContain("stroke-dasharray");
    expect(drawn).not.toMatch(/[AZ]|fill="#/);
  });
});
