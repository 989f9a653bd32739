import { describe, expect, it } from "vitest";
import { chooseStripWords } from "./axis-strip";
import { hasHardlyLeft } from "./analogy-sum";

const [KING, MAN, DOG, QUEEN] = [1, 2, 3, 4] as const;
const near = (...words: [number, number | null][]) =>
  words.map(([token_id, cosine]) => ({ token_id, cosine }));

it("a sum has hardly left one of its words only where that word is clearly the nearest", () => {
  expect(hasHardlyLeft(near([KING, 0.9], [QUEEN, 0.6]), KING, DOG)).toBe(true);
  expect(hasHardlyLeft(near([DOG, 0.9], [QUEEN, 0.6]), KING, DOG)).toBe(true);
  // Two words are almost equally near: the sum lies between them.
  expect(hasHardlyLeft(near([DOG, 0.62], [KING, 0.6]), KING, DOG)).toBe(false);
  expect(hasHardlyLeft(near([QUEEN, 0.9], [KING, 0.6]), KING, DOG)).toBe(false);
  // The sum cannot stay at the subtracted word.
  expect(hasHardlyLeft(near([MAN, 0.9], [KING, 0.6]), KING, DOG)).toBe(false);
  expect(hasHardlyLeft(near([KING, 0.9]), KING, DOG)).toBe(false);
  expect(hasHardlyLeft(near([KING, 0.9], [QUEEN, null]), KING, DOG)).toBe(false);
  expect(hasHardlyLeft([], KING, DOG)).toBe(false);
});

describe("the strip along a direction", () => {
  const positions = Array.from({ length: 200 }, (_, id) => ((id * 77) % 200) - 100);

  it("has both ends, the farthest words and some between, in order", () => {
    const strip = chooseStripWords(
      positions,
      [[10], [20, 30]],
      positions.map((_, id) => id),
    );
    const at = strip.map(({ position }) => position);
    expect(at).toEqual([...at].sort((one, other) => one - other));
    expect([at[0], at.at(-1)]).toEqual([-100, 99]);
    expect(
      strip
        .filter(({ end }) => end)
        .map(({ id }) => id)
        .sort(),
    ).toEqual([10, 20, 30]);
    expect(strip.length).toBeLessThan(24);
    expect(Math.max(...at.slice(1).map((one, i) => one - at[i]!))).toBeLessThan(30);
    expect([strip[0]!.share, strip.at(-1)!.share]).toEqual([0, 1]);
  });

  it("leaves out words without a position", () => {
    expect(chooseStripWords([null, null], [[0], [1]], [0, 1])).toEqual([]);
    expect(chooseStripWords([3, null, 3], [[0], [2]], [])).toHaveLength(2);
  });
});
