import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FrameError } from "./binary-reader";
import { decodeGridFrame, type GridChange, type GridLayout } from "./grid-frames";
import { GridLayouts } from "./grid-layouts";

function golden(name: string): GridLayout | GridChange {
  const file = readFileSync(new URL(`../../../tests/golden/${name}.bin`, import.meta.url));
  const data = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
  return decodeGridFrame(data);
}

const whole = golden("grid-layout") as GridLayout;
const change = golden("grid-change") as GridChange;

describe("layouts on a grid", () => {
  it("are the same from a difference as whole", () => {
    const grids = new GridLayouts();
    grids.receive(whole);
    const changed = grids.receive(change);
    expect(changed).toEqual(new GridLayouts().receive(golden("grid-changed")));
    expect(changed).toMatchObject({ kind: "layout", step: 820, method: "umap", trust: 0.875 });
  });

  it("have the positions of the grid", () => {
    const { x0, x1, y0, y1, places } = new GridLayouts().receive(whole)!;
    const x = (id: number) => x0 + ((x1 - x0) * places[2 * id]!) / 65_535;
    const y = (id: number) => y0 + ((y1 - y0) * places[2 * id + 1]!) / 65_535;
    expect(x(0)).toBeCloseTo(-4.5, 9);
    expect(y(0)).toBeCloseTo(6.5, 9);
    expect(x(3)).toBeCloseTo(-4.5 + (9 * 2_048) / 4_095, 9);
  });

  it("wait for a whole one if the base of a difference is another layout", () => {
    const grids = new GridLayouts();
    expect(grids.receive(change)).toBeNull();
    grids.receive({ ...whole, number: 6 });
    expect(grids.receive(change)).toBeNull();
    grids.receive({ ...whole, method: "linear" });
    expect(grids.receive(change)).toBeNull();
    grids.receive(whole);
    expect(grids.receive(change)?.step).toBe(820);
  });

  it("stay on the grid", () => {
    const grids = new GridLayouts();
    grids.receive(whole);
    const moves = change.moves.map(() => -1);
    expect(() => grids.receive({ ...change, moves })).toThrow(FrameError);
    grids.receive({ ...whole, byToken: null });
    expect(() => grids.receive(change)).toThrow(FrameError);
  });
});
