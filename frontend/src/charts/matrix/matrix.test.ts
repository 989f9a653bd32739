import { describe, expect, it } from "vitest";
import { colourPixels, poolMatrix, colourScaleEnd, valueAt, type MatrixCells } from "./raster";
import { placeRowLabels } from "./row-labels";
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

const groups = [
  { name: "wide", first: 0, last: 500 },
  { name: "slim", first: 500, last: 510 },
  { name: "rest", first: 510, last: 1_000 },
];
const row = (at: number) => `row ${at}`;

describe("placeRowLabels", () => {
  it("omits a name that would overlap that of a larger group", () => {
    const names = placeRowLabels(groups, [0, 1_000], 200, 14, row);
    expect(names).toEqual([
      { name: "wide", at: 50 },
      { name: "slim", at: 101 },
      { name: "rest", at: 151 },
    ]);
    expect(placeRowLabels(groups, [0, 1_000], 50, 14, row).map(({ name }) => name)).toEqual([
      "wide",
      "rest",
    ]);
  });

  it("names groups in view, within the view", () => {
    expect(placeRowLabels(groups, [400, 500], 200, 14, row)).toEqual([{ name: "wide", at: 100 }]);
    expect(placeRowLabels([], [0, 1_000], 200, 14, row)).toEqual([]);
  });

  it("names single rows if there is room for them", () => {
    const names = placeRowLabels(groups, [498.5, 502.5], 80, 14, row);
    expect(names.map(({ name }) => name)).toEqual(["row 499", "row 500", "row 501"]);
    expect(names[0]!.at).toBeCloseTo(20);
  });
});

// Four tokens of three numbers, shown in the order 2, 0, 3, 1.
const cells: MatrixCells = {
  values: Float32Array.of(1, -2, 3, 4, 5, 6, -1, 0, 9, 2, 2, -8),
  minus: null,
  dim: 3,
  order: Uint32Array.of(2, 0, 3, 1),
};
const list = (from: MatrixCells, ...rest: [number, number, number, number, "mean" | "largest"]) =>
  Array.from(poolMatrix(from, ...rest).values);

describe("poolMatrix", () => {
  it("shows every number if there is room", () => {
    expect(list(cells, 0, 4, 100, 100, "mean")).toEqual([-1, 0, 9, 1, -2, 3, 2, 2, -8, 4, 5, 6]);
    expect(list(cells, 2, 3, 100, 100, "largest")).toEqual([2, 2, -8]);
    expect(poolMatrix(cells, 2, 2, 9, 9, "mean").values).toHaveLength(0);
  });

  it("takes the mean, or the value farthest from 0", () => {
    expect(list(cells, 0, 4, 3, 2, "mean")).toEqual([0, -1, 6, 3, 3.5, -1]);
    expect(list(cells, 0, 4, 3, 2, "largest")).toEqual([-1, -2, 9, 4, 5, -8]);
    // Columns too: the first two share a pixel, and each number has the same weight.
    expect(list(cells, 0, 4, 2, 1, "mean")[0]).toBeCloseTo(11 / 8);
  });

  it("omits no row if the rows do not divide by the pixels", () => {
    const many: MatrixCells = {
      values: Float32Array.from({ length: 10 }, (_, i) => 2 ** i),
      minus: null,
      dim: 1,
      order: Uint32Array.from({ length: 10 }, (_, i) => i),
    };
    const { values, height } = poolMatrix(many, 0, 10, 1, 4, "mean");
    expect(height).toBe(4);
    expect(Array.from(values)).toEqual([1.5, 28 / 3, 48, 896 / 3].map(Math.fround));
  });

  it("shows a difference, and NaN", () => {
    const minus = cells.values.slice();
    minus[7] = NaN;
    minus[0] = -1;
    const changed = { ...cells, minus };
    expect(valueAt(changed, 1, 0)).toBe(2);
    expect(list(changed, 0, 4, 3, 1, "mean")).toEqual([0.5, NaN, 0]);
    expect(list(changed, 0, 4, 3, 1, "largest")).toEqual([2, NaN, 0]);
  });
});

describe("colourScaleEnd", () => {
  it("leaves out outliers, and is never 0", () => {
    const values = Float32Array.from({ length: 1_000 }, (_, i) =>
      i === 7 ? 500 : (i % 100) / 100,
    );
    const one = { values, minus: null, dim: 1, order: Uint32Array.from(values.keys()) };
    expect(colourScaleEnd(one)).toBeCloseTo(0.98, 1);
    expect(colourScaleEnd({ ...one, minus: values })).toBe(1);
    const few = values.slice();
    few[3] = few[3]! - 0.25;
    expect(colourScaleEnd({ ...one, minus: few })).toBeCloseTo(0.25);
  });
});

describe("colourPixels", () => {
  it("are dark at 0, blue below, amber above, and have a separate colour for NaN", () => {
    const values = Float32Array.of(-9, -1, 0, 1, 9, NaN);
    const bytes = colourPixels({ values, width: 6, height: 1 }, 1);
    const [low, least, zero, most, high, none] = [0, 1, 2, 3, 4, 5].map((i) =>
      Array.from(bytes.slice(4 * i, 4 * i + 3)),
    );
    expect(low).toEqual(least);
    expect(high).toEqual(most);
    expect(least![2]).toBeGreaterThan(least![0]!);
    expect(most![0]).toBeGreaterThan(most![2]!);
    expect(Math.max(...zero!)).toBeLessThan(60);
    expect([zero, least, most]).not.toContainEqual(none);
  });
});
