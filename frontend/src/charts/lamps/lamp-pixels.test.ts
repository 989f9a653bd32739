import { describe, expect, it } from "vitest";
import { lampPixels } from "./lamp-pixels";

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
