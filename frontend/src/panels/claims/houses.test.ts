import { describe, expect, it } from "vitest";
import { housesOf, neighbourOf } from "./houses";

const rows = [
  { group: "one", number: 1 },
  { group: "one", number: 2 },
  { group: "two", number: 3 },
  { group: "one", number: 4 },
];

describe("the houses of the board", () => {
  const houses = housesOf(rows);

  it("hold the claims of a subject", () => {
    expect(houses.map(({ rows: windows }) => windows.map(({ number }) => number))).toEqual([
      [1, 2, 4],
      [3],
    ]);
  });

  it("are walked through floor by floor, counted from the ground", () => {
    expect(neighbourOf(houses, 1, "ArrowDown")).toBe(2);
    expect(neighbourOf(houses, 1, "ArrowUp")).toBeNull();
    expect(neighbourOf(houses, 4, "ArrowRight")).toBe(3);
    expect(neighbourOf(houses, 1, "ArrowRight")).toBe(3);
    expect(neighbourOf(houses, 3, "ArrowLeft")).toBe(4);
    expect(neighbourOf(houses, 3, "ArrowRight")).toBeNull();
    expect(neighbourOf(houses, 3, "Home")).toBe(1);
    expect(neighbourOf(houses, 1, "End")).toBe(3);
    expect(neighbourOf(houses, 1, "x")).toBeNull();
  });
});
