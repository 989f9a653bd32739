import { describe, expect, it } from "vitest";
import type { AnswerTo } from "../../../api/rest-types";
import { endsOf, leavesRareWords } from "./deciles";

const answerOf = (sgd: (number | null)[], adam: (number | null)[]) =>
  ({
    optimisers: [
      { name: "sgd", curve: [{ step: 9, losses: sgd }] },
      { name: "adam", curve: [{ step: 9, losses: adam }] },
    ],
  }) as unknown as AnswerTo<"deciles">;

describe("rare words under two optimisers", () => {
  it("fall behind where plain descent is worse on them, and more so than on frequent words", () => {
    const ends = endsOf(answerOf([1, 5, 8.5], [1.4, 5, 8.3]))!;
    expect(ends).toEqual({ frequent: { sgd: 1, adam: 1.4 }, rare: { sgd: 8.5, adam: 8.3 } });
    expect(leavesRareWords(ends)).toBe(true);
    expect(leavesRareWords(endsOf(answerOf([3, 8.5], [1, 8]))!)).toBe(false);
    expect(leavesRareWords(endsOf(answerOf([1, 8], [2, 8.5]))!)).toBe(false);
  });

  it("come from the groups with known losses", () => {
    expect(endsOf(answerOf([1, 2, null], [1, 1, 3]))!.rare).toEqual({ sgd: 2, adam: 1 });
    expect(endsOf(answerOf([null, null], [1, 2]))).toBeNull();
    expect(endsOf({ optimisers: [] } as unknown as AnswerTo<"deciles">)).toBeNull();
  });
});
