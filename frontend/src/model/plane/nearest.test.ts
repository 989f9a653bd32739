import { describe, expect, it } from "vitest";
import { NearestTokens } from "./nearest";

function nearestOf(distances: number[], k: number): number[] {
  const nearest = new NearestTokens(k);
  distances.forEach((distance, id) => nearest.offer(id, distance));
  return [...nearest.kept];
}

describe("the nearest tokens", () => {
  it("match a full sort, in any order of arrival", () => {
    let seed = 3;
    const next = () => (seed = (seed * 16_807) % 2_147_483_647) % 50;
    for (let round = 0; round < 50; round++) {
      const distances = Array.from({ length: 40 }, next);
      const sorted = [...distances.keys()].sort((a, b) => distances[a]! - distances[b]! || a - b);
      for (const k of [1, 7, 40]) expect(nearestOf(distances, k)).toEqual(sorted.slice(0, k));
    }
  });

  it("are all tokens if there are fewer than k", () => {
    expect(nearestOf([3, 1, 2], 9)).toEqual([1, 2, 0]);
    expect(nearestOf([], 3)).toEqual([]);
    expect(nearestOf([1, 2], 0)).toEqual([]);
  });

  it("exclude unknown and infinite distances", () => {
    expect(nearestOf([NaN, 2, Infinity, -1], 3)).toEqual([3, 1]);
  });

  it("are found again after a restart", () => {
    const nearest = new NearestTokens(2);
    nearest.offer(5, 0);
    nearest.startOver();
    expect([...nearest.kept]).toEqual([]);
    nearest.offer(6, 100);
    expect([...nearest.kept]).toEqual([6]);
  });
});
