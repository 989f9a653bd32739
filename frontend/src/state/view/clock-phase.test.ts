import { describe, expect, it } from "vitest";
import { clockSize } from "../../model/clock";
import { phaseScale, strongestFrequency } from "./clock-phase";

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
