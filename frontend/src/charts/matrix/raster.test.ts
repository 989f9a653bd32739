import { describe, expect, it } from "vitest";
import { colourPixels, poolMatrix, colourScaleEnd, valueAt, type MatrixCells } from "./raster";

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
