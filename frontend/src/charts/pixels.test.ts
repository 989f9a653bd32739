import { describe, expect, it } from "vitest";
import { flowGeometry } from "./gradients/flow-geometry";
import { lampPixels } from "./lamps/lamp-pixels";
import { attentionPixels, shareColour } from "./attention/attention-pixels";

describe("attention weights as pixels", () => {
  it("are brighter the larger, and transparent where a word cannot look", () => {
    const pixels = attentionPixels([[1], [0.25, 0.75]]);
    const alpha = [0, 1, 2, 3].map((at) => pixels[4 * at + 3]);
    expect(alpha).toEqual([255, 0, 255, 255]);
    const light = (share: number) => shareColour(share).reduce((sum, part) => sum + part);
    const shares = [0, 0.01, 0.1, 0.25, 0.5, 1];
    expect(shares.map(light)).toEqual(shares.map(light).sort((a, b) => a - b));
    expect(shareColour(-1)).toEqual(shareColour(0));
    expect(shareColour(2)).toEqual(shareColour(1));
  });
});

const SIZE = 60;
/** Three lamps: at the lower left, in the middle and at the upper right of a map twice as wide as high. */
const placement = {
  places: Uint16Array.of(0, 0, 32_768, 32_768, 65_535, 65_535),
  box: { x0: 0, x1: 2, y0: 0, y1: 1 },
};

/** Return the number of pixels of each colour. */
function coloursOf(lit: number[], brighter: number[]) {
  const pixels = lampPixels(placement, Uint8Array.from(lit), Uint8Array.from(brighter), SIZE);
  const found = new Map<string, number>();
  for (let at = 0; at < pixels.length; at += 4) {
    const colour = pixels.slice(at, at + 3).join(",");
    found.set(colour, (found.get(colour) ?? 0) + 1);
  }
  return found;
}

describe("a small map", () => {
  it("draws unlit lamps dim, and lit ones larger and brighter", () => {
    const dark = coloursOf([0, 0, 0], [0, 0, 0]);
    expect(dark.size).toBe(2);
    const lit = coloursOf([0, 1, 1], [0, 0, 1]);
    expect(lit.size).toBe(4);
    expect(lit.get("255,192,106")!).toBeGreaterThan(dark.get("98,116,164")! / 3);
    expect(lit.get("255,246,222")!).toBeGreaterThan(lit.get("255,192,106")!);
  });

  it("keeps the proportions of the map, with y upwards", () => {
    const pixels = lampPixels(placement, Uint8Array.of(0, 0, 1), new Uint8Array(3), SIZE);
    const rows = Array.from({ length: SIZE * SIZE }, (_, at) => at)
      .filter((at) => pixels[4 * at] === 255)
      .map((at) => Math.floor(at / SIZE));
    expect(Math.min(...rows)).toBeGreaterThan(SIZE / 5);
    expect(Math.max(...rows)).toBeLessThan(SIZE / 2);
  });
});

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
