import { describe, expect, it } from "vitest";
import { drawArrow } from "./draw-arrow";
import type { OverlayModel } from "./overlay-model";

function drawn(arrow: OverlayModel["arrow"]): number[][] {
  const lines: number[][] = [];
  let at: [number, number] = [0, 0];
  const context = {
    beginPath() {},
    stroke() {},
    moveTo: (x: number, y: number) => (at = [x, y]),
    lineTo: (x: number, y: number) => lines.push([...at, x, y]),
  } as unknown as CanvasRenderingContext2D;
  const places: [number, number][] = [
    [0, 0],
    [0, 20],
    [100, 10],
    [101, 10],
  ];
  const view = { x0: 0, x1: 200, y0: 0, y1: 200 };
  const model = { arrow, positionOf: (id: number) => places[id]!, width: 200, height: 200, view };
  drawArrow(context, model as unknown as OverlayModel, 1);
  return lines;
}

describe("arrow of a direction", () => {
  it("runs from the middle of some tokens to the middle of others, with a head at its end", () => {
    const [shaft, one, other] = drawn({ from: [0, 1], to: [2] });
    expect([shaft![0]! > 0, shaft![2]! > shaft![0]!, shaft![2]! < 100]).toEqual([true, true, true]);
    expect(shaft![1]).toBeCloseTo(shaft![3]!);
    expect([one!.slice(0, 2), other!.slice(0, 2)]).toEqual([shaft!.slice(2), shaft!.slice(2)]);
    expect(one![2]).toBeLessThan(shaft![2]!);
    expect(one![3]! - shaft![3]!).toBeCloseTo(shaft![3]! - other![3]!);
  });

  it("is not drawn without ends, or if they almost meet", () => {
    expect(drawn(null)).toEqual([]);
    expect(drawn({ from: [], to: [2] })).toEqual([]);
    expect(drawn({ from: [2], to: [3] })).toEqual([]);
  });
});
