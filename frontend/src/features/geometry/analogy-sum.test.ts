import { expect, it } from "vitest";
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
