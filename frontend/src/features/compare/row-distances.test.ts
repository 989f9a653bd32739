import { describe, expect, it } from "vitest";
import { distancesFrom, lightOfDistances } from "./row-distances";

describe("distances between the rows of two runs", () => {
  const numbers = Float32Array.of(0, 0.5, NaN, 2, 0.1, 0.4, NaN, 1, 2, 2, NaN, 0);

  it("are the server's, with the neighbours that are others", () => {
    const { raw, aligned, neighbours } = distancesFrom(numbers);
    expect([...raw]).toEqual([0, 0.5, NaN, 2]);
    expect([...aligned]).toEqual([0, Math.fround(0.4), NaN, 1]);
    // Three words have two neighbours each.
    expect([...neighbours]).toEqual([0, 0, NaN, 2]);
  });

  it("light the words that differ, and leave what is equal or unknown asleep", () => {
    expect([...lightOfDistances(distancesFrom(numbers).raw, 7).ids]).toEqual([3]);
    expect(lightOfDistances(new Float32Array(2_000), 7).ids).toHaveLength(0);
    const many = Float32Array.from({ length: 6_000 }, (_, id) => id);
    expect(lightOfDistances(many, 7)).toMatchObject({ step: 7, said: true });
    expect(lightOfDistances(many, 7).ids).toHaveLength(120);
  });
});
