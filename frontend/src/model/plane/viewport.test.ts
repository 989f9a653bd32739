import { describe, expect, it } from "vitest";
import { fitView, toMapPosition, toPixel, unitsPerPixel, zoomView } from "./viewport";

describe("the view", () => {
  const insets = { top: 50, right: 300, bottom: 100, left: 20 };

  it("shows the whole map in the uncovered part", () => {
    const box = { x0: 0, x1: 10, y0: 0, y1: 10 };
    const view = fitView(box, 1_280, 720, insets);
    const viewport = { view, width: 1_280, height: 720 };
    const px = (x: number) => toPixel(viewport, [x, 0])[0];
    const py = (y: number) => toPixel(viewport, [0, y])[1];
    expect(px(0)).toBeGreaterThanOrEqual(19.9);
    expect(px(10)).toBeLessThanOrEqual(980.1);
    expect(py(10)).toBeGreaterThanOrEqual(49.9);
    expect(py(0)).toBeLessThanOrEqual(620.1);
    expect(px(5)).toBeCloseTo(500, 0);
  });

  it("has one scale for both axes, whatever the shape of the window", () => {
    const box = { x0: -3, x1: 9, y0: 2, y1: 10 };
    for (const [width, height] of [
      [1_280, 800],
      [2_560, 1_440],
      [390, 844],
      [844, 390],
    ] as const) {
      const view = fitView(box, width, height, insets);
      const [ux, uy] = unitsPerPixel({ view, width, height });
      expect(ux).toBeCloseTo(uy, 9);
      expect(view.x1 - view.x0).toBeGreaterThanOrEqual(12);
      expect(view.y1 - view.y0).toBeGreaterThanOrEqual(8);
    }
  });

  it("converts between map and pixels, with y upwards on the map and downwards in the picture", () => {
    const viewport = { view: { x0: -2, x1: 2, y0: 0, y1: 10 }, width: 400, height: 200 };
    expect(toPixel(viewport, [-2, 10])).toEqual([0, 0]);
    expect(toPixel(viewport, [1, 2.5])).toEqual([300, 150]);
    expect(toMapPosition(viewport, 300, 150)).toEqual([1, 2.5]);
    expect(unitsPerPixel(viewport)).toEqual([0.01, 0.05]);
  });

  it("zooms about a fixed point", () => {
    const view = zoomView({ x0: 0, x1: 10, y0: 0, y1: 10 }, 0.5, 0.2, 1);
    expect(view).toEqual({ x0: 1, x1: 6, y0: 5, y1: 10 });
  });
});
