import { describe, expect, it } from "vitest";
import { flowGeometry } from "./flow-geometry";

const LAYERS = ["embedding", "positions", "block 1", "unembedding"];

describe("flowGeometry", () => {
  it("flows from the loss to the embedding, and is as wide at each layer as its norm", () => {
    const { sections, outlines, scale } = flowGeometry(LAYERS, [0.4, 0.1, 0.2, 0.7]);
    expect(sections.map(({ name, y }) => [name, y])).toEqual([
      ["unembedding", 1],
      ["block 1", 2],
      ["positions", 3],
      ["embedding", 4],
    ]);
    expect(scale).toBe(1);
    const widthAt = (outline: { x: number[]; y: number[] }, y: number) => {
      const xs = outline.x.filter((_, i) => outline.y[i] === y);
      return Math.max(...xs) - Math.min(...xs);
    };
    const [main, arm] = outlines;
    expect(widthAt(main!, 1)).toBeCloseTo(0.7);
    expect(widthAt(main!, 2)).toBeCloseTo(0.2);
    expect(widthAt(main!, 4)).toBeCloseTo(0.4);
    // Positions leave as an arm of their own width and do not affect the main flow.
    expect(main!.y).not.toContain(3.5);
    expect(widthAt(arm!, 3)).toBeCloseTo(0.1);
    // Nowhere wider than the layers it joins.
    expect(Math.max(...main!.x)).toBeCloseTo(0.35);
  });

  it("has a round scale, and room for values that are not finite", () => {
    expect(flowGeometry(["a", "b"], [0.021, 0.004]).scale).toBe(0.05);
    expect(flowGeometry(["a", "b"], [20, 3]).scale).toBe(20);
    const odd = flowGeometry(["a", "b"], [NaN, Infinity]);
    expect(odd.scale).toBe(1);
    expect(odd.outlines[0]!.x.every((x) => x === 0)).toBe(true);
    expect(flowGeometry([], [])).toEqual({ sections: [], outlines: [], scale: 1 });
    expect(flowGeometry([], [1]).sections[0]!.name).toBe("0");
  });
});
