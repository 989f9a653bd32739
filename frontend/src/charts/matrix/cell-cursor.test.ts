import { describe, expect, it } from "vitest";
import { cursorAfterKey } from "./cell-cursor";

const after = (key: string, row: number, column: number) =>
  cursorAfterKey(key, { row, column }, [20, 30], 100, 16);

describe("the cursor of the matrix", () => {
  it("moves by a cell or by almost a page, and stays inside", () => {
    expect(after("ArrowDown", 25, 3)).toEqual({ row: 26, column: 3 });
    expect(after("ArrowLeft", 25, 3)).toEqual({ row: 25, column: 2 });
    expect(after("PageUp", 25, 3)).toEqual({ row: 16, column: 3 });
    expect(after("PageDown", 98, 3)).toEqual({ row: 99, column: 3 });
    expect(after("ArrowRight", 25, 15)).toEqual({ row: 25, column: 15 });
    expect(after("ArrowUp", 0, 0)).toEqual({ row: 0, column: 0 });
  });

  it("appears at the first row in view", () => {
    expect(cursorAfterKey("ArrowDown", null, [20.6, 30], 100, 16)).toEqual({ row: 20, column: 0 });
  });

  it("ignores other keys", () => {
    expect([after("a", 1, 1), after("toString", 1, 1)]).toEqual([null, null]);
  });
});
