import { describe, expect, it } from "vitest";
import { cellAfterKey, cellColumns } from "./cells";

describe("the cells of a row", () => {
  it("are nearly a square, in full lines for usual widths", () => {
    expect([1, 16, 64, 128, 1024].map(cellColumns)).toEqual([1, 4, 8, 16, 32]);
  });

  it("can be traversed with keys, within the ends", () => {
    const after = (key: string, cell: number) => cellAfterKey(key, cell, 8, 64);
    expect([after("ArrowRight", 7), after("ArrowDown", 7), after("ArrowUp", 15)]).toEqual([
      8, 15, 7,
    ]);
    expect([after("ArrowLeft", 0), after("ArrowUp", 3), after("ArrowDown", 60)]).toEqual([
      0, 3, 60,
    ]);
    expect([after("Home", 9), after("End", 9), after("x", 9)]).toEqual([0, 63, null]);
  });
});
