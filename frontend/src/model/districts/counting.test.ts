import { expect, it } from "vitest";
import { largestOwned } from "./counting";

/** Return the mean of the largest number over every way to choose `words` of the rows. */
function mean(owners: [number, number][], words: number): number {
  const rows = owners.flatMap(([, size], process) => Array<number>(size).fill(process));
  let [sum, ways] = [0, 0];
  for (let chosen = 0; chosen < 1 << rows.length; chosen++) {
    const owned = owners.map(() => 0);
    rows.forEach((process, row) => (owned[process]! += (chosen >> row) & 1));
    if (owned.reduce((a, b) => a + b) !== words) continue;
    sum += Math.max(...owned);
    ways += 1;
  }
  return sum / ways;
}

it("tells the most that any process owns by chance, not one given process", () => {
  for (const sizes of [
    [2, 2],
    [4, 4, 4],
    [8, 2, 2],
  ]) {
    let offset = 0;
    const owners = sizes.map((size): [number, number] => [(offset += size) - size, size]);
    for (const words of [1, 2, 3]) {
      const [told, deviation] = largestOwned(owners, words);
      expect(Math.abs(told - mean(owners, words))).toBeLessThan(0.05);
      if (words === 1) expect(deviation).toBe(0);
    }
  }
  // Twenty words, eight equal processes: a given one owns 2.5, the one with the most twice that.
  const eight = Array.from({ length: 8 }, (_, at): [number, number] => [300 * at, 300]);
  expect(largestOwned(eight, 20)[0]).toBeGreaterThan(4.6);
  expect(largestOwned(eight, 20)[0]).toBeLessThan(5.2);
  expect(largestOwned(eight, 20)[1]).toBeGreaterThan(0.5);
});
